/**
 * vxlan: one VXLAN device a host, and for every peer three entries that answer what ARP and flooding would have
 * asked: route (which VTEP has this subnet?), neighbour (that VTEP's MAC?), FDB entry (which host has this MAC?).
 */
import type { Backend, Lab } from '../inventory/inventory.ts'
import type { IfName } from '../inventory/values.ts'
import { address } from '../modules/address.ts'
import { fdbEntry } from '../modules/fdb.ts'
import { vxlanLink } from '../modules/link.ts'
import { tableOf, type Row } from '../modules/module.ts'
import { neighbour } from '../modules/neighbour.ts'
import { route } from '../modules/route.ts'
import { sysctl } from '../modules/sysctl.ts'
import type { BackendPlan, Node } from './backend.ts'
import { directRoute } from './host-gw.ts'
import { areOnLink } from './links.ts'
import { podMtu } from './mtu.ts'

/** RFC 8200, 5. The kernel gives a link with a smaller MTU no IPv6, and no settings of it. */
const leastIpv6Mtu = 1280

/** With DirectRouting a peer on the same link gets host-gw's route and nothing else; the device stays, for the others. */
export function vxlan(lab: Lab, backend: Extract<Backend, { Type: 'vxlan' }>): BackendPlan {
  const device = `flannel.${backend.VNI}` as IfName
  const mtu = podMtu(backend, lab.mtu)
  const isDirect = (host: Node, peer: Node): boolean => backend.DirectRouting && areOnLink(lab, host, peer)

  const deviceOf = (host: Node): Row =>
    vxlanLink({
      name: device,
      id: backend.VNI,
      nic: host.nic,
      local: host.address,
      port: backend.Port,
      mtu,
      mac: host.vtepMac,
    })

  return {
    vtep: (host) => ({ name: device, address: host.first, mac: host.vtepMac }),

    rows(host, peers) {
      const tunnelled = peers.filter((peer) => !isDirect(host, peer))
      return {
        links: tableOf([deviceOf(host)]),
        addresses: tableOf([address({ ip: host.first, length: 32, dev: device })]),
        neighbours: tableOf(
          tunnelled.map((peer) => neighbour({ ip: peer.first, dev: device, mac: peer.vtepMac })),
        ),
        fdb: tableOf(
          tunnelled.map((peer) => fdbEntry({ mac: peer.vtepMac, dev: device, dst: peer.address })),
        ),
        sysctls: tableOf(mtu < leastIpv6Mtu ? [] : [sysctl(`net/ipv6/conf/${device}/accept_ra`, 0)]),
        routes: tableOf(
          peers.map((peer) =>
            isDirect(host, peer)
              ? directRoute(host, peer)
              : route({ to: peer.subnet, via: peer.first, dev: device, onlink: true }),
          ),
        ),
      }
    },

    // flanneld takes a device that is there and fits as its own, and so its MAC: the planned one, which the peers know.
    lent: [device],
  }
}
