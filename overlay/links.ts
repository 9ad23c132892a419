/** Which hosts reach each other without a router between them. Pure. */
import type { Inventory, Lab } from '../inventory/inventory.ts'
import type { Cidr, Ip, Name } from '../inventory/values.ts'
import { holds } from './subnet.ts'

/** A host by its place in the underlay. */
export interface Placed {
  readonly name: Name
  readonly address: Ip
  /** What its NIC reaches without a router, where somebody has looked; else the underlay is taken for one link. */
  readonly onLink?: readonly Cidr[]
}

/** In both directions: where one side sends straight, the other's answer must not come another way. */
export function areOnLink(lab: Lab, a: Placed, b: Placed): boolean {
  return reaches(lab, a, b) && reaches(lab, b, a)
}

/**
 * Why host-gw cannot serve a host that was looked at, by its name: some peer is behind a router, as where a cloud gives
 * a NIC its address with /32. Empty for the other backends, which put a header before such a peer's packets.
 */
export function offLink({ lab, hosts }: Inventory): Readonly<Record<Name, string>> {
  if (lab.overlay.Backend.Type !== 'host-gw') return {}
  return Object.fromEntries(
    hosts.flatMap((host) => {
      const { onLink } = host
      const far = onLink ? hosts.filter((peer) => peer !== host && !reaches(lab, host, peer)) : []
      return onLink && far.length > 0 ? [[host.name, offLinkText(onLink, far)]] : []
    }),
  )
}

function reaches({ underlay }: Lab, { onLink = [underlay] }: Placed, { address }: Placed): boolean {
  return onLink.some((prefix) => holds(prefix, address))
}

function offLinkText(onLink: readonly Cidr[], far: readonly Placed[]): string {
  const peers = far.slice(0, 3).map(({ name, address }) => `${name} (${address})`)
  const more = far.length > peers.length ? ` and ${far.length - peers.length} more` : ''
  return (
    `${peers.join(', ')}${more} ${far.length > 1 ? 'are' : 'is'} behind a router: its NIC is connected to ` +
    `${onLink.length > 0 ? onLink.join(', ') : 'no network'} only, and host-gw needs every host on one link; ` +
    'use the backend vxlan or udp'
  )
}
