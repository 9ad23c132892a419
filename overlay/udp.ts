/**
 * udp: flannel's oldest backend, the bare inner packet in a UDP datagram. flanneld moves every packet itself by a
 * TUN device, which dies with it; under static control the kernel does, so there is no process that could die.
 */
import type { Backend, Lab } from '../inventory/inventory.ts'
import type { IfName } from '../inventory/values.ts'
import { address } from '../modules/address.ts'
import { encapProgram } from '../modules/bpf/names.ts'
import { udpFilterRow } from '../modules/filter.ts'
import { fouPort } from '../modules/fou.ts'
import { fouLink } from '../modules/link.ts'
import { tableOf } from '../modules/module.ts'
import { txOffload } from '../modules/offload.ts'
import { peerRow } from '../modules/peer.ts'
import { route } from '../modules/route.ts'
import type { HostState } from '../modules/state.ts'
import type { BackendPlan, Node } from './backend.ts'
import type { Choice } from './datapath.ts'
import { podMtu } from './mtu.ts'
import { gatewayOf } from './subnet.ts'

type Udp = Extract<Backend, { Type: 'udp' }>

/** flanneld's TUN device, and the device of the datapath fou, which has its place. */
const tunnel = 'flannel0' as IfName

/** What in the kernel wraps and unwraps the packets. The wire is the same for all. */
const datapaths: Readonly<
  Record<Choice['datapath'], (lab: Lab, udp: Udp, host: Node, peers: readonly Node[]) => HostState>
> = {
  fou,
  bpf,
}

export function udp(lab: Lab, backend: Udp): BackendPlan {
  return {
    vtep: () => undefined,
    rows: (host, peers) =>
      host.control === 'flanneld'
        ? tunnelByFlanneld(lab, host)
        : { ...datapaths[host.datapath](lab, backend, host, peers), ...finishedChecksums(host, peers) },
    lent: [tunnel],
  }
}

/** flanneld's own: a TUN device that lives as long as the process, and one route into it for the whole network. */
function tunnelByFlanneld({ overlay }: Lab, host: Node): HostState {
  return {
    addresses: tableOf([address({ ip: host.first, length: 32, dev: tunnel })]),
    routes: { [overlay.Network]: `dev ${tunnel} scope global` },
  }
}

/** A flanneld takes the inner packet out of the datagram, and with it goes what the kernel knew of its checksum. */
function finishedChecksums(host: Node, peers: readonly Node[]): HostState {
  return peers.some((peer) => peer.control === 'flanneld')
    ? { offloads: tableOf([txOffload(host.nic, 'off')]) }
    : {}
}

/**
 * One device for all peers: it wraps what is routed into it and sends it to the route's next hop, which is the peer.
 * (A device of the form `external`, and routes with `encap ip`, do without the UDP header and say nothing.)
 */
function fou(lab: Lab, backend: Udp, host: Node, peers: readonly Node[]): HostState {
  return {
    fou: tableOf([fouPort(backend.Port)]),
    links: tableOf([
      fouLink({
        name: tunnel,
        nic: host.nic,
        local: host.address,
        port: backend.Port,
        ttl: outerTtl,
        mtu: podMtu(backend, lab.mtu),
      }),
    ]),
    addresses: tableOf([address({ ip: host.first, length: 32, dev: tunnel })]),
    routes: tableOf(
      peers.map((peer) => route({ to: peer.subnet, via: peer.address, dev: tunnel, onlink: true })),
    ),
  }
}

/** Linux' own (IPDEFTTL), which flanneld's socket has. */
const outerTtl = 64

/**
 * A filter on the NIC unwraps what arrives, a table says which host has which subnet, and one route for the whole
 * network, as flannel0 has it, wraps what leaves.
 */
function bpf({ overlay }: Lab, { Port }: Udp, host: Node, peers: readonly Node[]): HostState {
  return {
    filters: tableOf([udpFilterRow({ nic: host.nic, port: Port, local: host.address, subnet: host.subnet })]),
    peers: tableOf(peers.map(({ subnet, address }) => peerRow({ subnet, address }))),
    routes: tableOf([
      route({
        to: overlay.Network,
        dev: host.nic,
        // The host's own packets must leave with an address that the peers can answer: the pods' gateway.
        src: gatewayOf(host.subnet),
        encap: encapProgram,
      }),
    ]),
  }
}
