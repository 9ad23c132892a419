/**
 * udp: flannel's oldest backend, the bare inner packet in a UDP datagram. flanneld moves every packet itself by a
 * TUN device, which dies with it; here the kernel does, so there is no process that could die.
 */
import type { Backend, Lab } from '../inventory/inventory.ts'
import { encapProgram } from '../modules/bpf/names.ts'
import { udpFilterRow } from '../modules/filter.ts'
import { tableOf } from '../modules/module.ts'
import { peerRow } from '../modules/peer.ts'
import { route } from '../modules/route.ts'
import type { HostState } from '../modules/state.ts'
import type { BackendPlan, Node } from './backend.ts'
import { gatewayOf } from './subnet.ts'

type Udp = Extract<Backend, { Type: 'udp' }>

/** What in the kernel wraps and unwraps the packets. The wire is the same for all. */
export type Datapath = 'bpf'

const datapaths: Readonly<
  Record<Datapath, (lab: Lab, udp: Udp, host: Node, peers: readonly Node[]) => HostState>
> = {
  bpf,
}

export function udp(lab: Lab, backend: Udp, datapath: Datapath = 'bpf'): BackendPlan {
  return {
    vtep: () => undefined,
    rows: (host, peers) => datapaths[datapath](lab, backend, host, peers),
  }
}

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
