/** host-gw: every host is the gateway of its own pods. No device, no header; the hosts must share a link. */
import type { Lab } from '../inventory/inventory.ts'
import { tableOf, type Row } from '../modules/module.ts'
import { route } from '../modules/route.ts'
import type { BackendPlan, Node } from './backend.ts'
import { areOnLink } from './links.ts'
import { holds } from './subnet.ts'

/** Throws where a peer is not on the link; an inventory that was checked has none, nor have hosts that were (`offLink`). */
export function hostGw(lab: Lab): BackendPlan {
  return {
    vtep: () => undefined,
    rows: (host, peers) => ({
      routes: tableOf(
        peers.map((peer) => {
          if (!areOnLink(lab, host, peer)) throw new Error(notOnLink(lab, host, peer))
          return directRoute(host, peer)
        }),
      ),
    }),
    lent: [],
  }
}

/** The peer itself is the next hop to its pods. */
export function directRoute(host: Node, peer: Node): Row {
  return route({ to: peer.subnet, via: peer.address, dev: host.nic })
}

function notOnLink(lab: Lab, host: Node, peer: Node): string {
  const { name, address } = holds(lab.underlay, peer.address) ? host : peer
  return (
    `${name}: host-gw needs every host on one link, but ${address} lies outside of the underlay ` +
    `${lab.underlay}; give it an address inside, or use the backend vxlan`
  )
}
