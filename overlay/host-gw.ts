/** host-gw: every host is the gateway of its own pods. No device, no header; the hosts must share a link. */
import type { Lab } from '../inventory/inventory.ts'
import { tableOf, type Row } from '../modules/module.ts'
import { route } from '../modules/route.ts'
import type { BackendPlan, Node } from './backend.ts'
import { holds } from './subnet.ts'

/** Throws where a peer is not on the underlay's link; an inventory that was checked has none. */
export function hostGw(lab: Lab): BackendPlan {
  return {
    vtep: () => undefined,
    rows: (host, peers) => ({
      routes: tableOf(
        peers.map((peer) => {
          if (!onLink(lab, peer)) throw new Error(offLink(lab, peer))
          return directRoute(host, peer)
        }),
      ),
    }),
    lent: [],
  }
}

/** Whether a host reaches this peer without a router between them. */
export function onLink(lab: Lab, peer: Node): boolean {
  return holds(lab.underlay, peer.address)
}

/** The peer itself is the next hop to its pods. */
export function directRoute(host: Node, peer: Node): Row {
  return route({ to: peer.subnet, via: peer.address, dev: host.nic })
}

function offLink(lab: Lab, peer: Node): string {
  return (
    `${peer.name}: host-gw needs every host on one link, but ${peer.address} lies outside of the underlay ` +
    `${lab.underlay}; give it an address inside, or use the backend vxlan`
  )
}
