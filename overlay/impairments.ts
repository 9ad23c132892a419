/** The inventory's impairments as rows: one for each peer whose way is impaired, and one for what several of them share. */
import type { Impairment, Impairments } from '../inventory/inventory.ts'
import { classOf, impairmentToward, sharedImpairment } from '../modules/impairment.ts'
import { tableOf, type Row } from '../modules/module.ts'
import type { HostState } from '../modules/state.ts'
import type { Node } from './backend.ts'

/** Throws where two peers would get one class: their addresses end alike, which takes an underlay wider than a /16. */
export function impairmentRows(
  host: Node,
  peers: readonly Node[],
  { all, toward }: Impairments = { all: {}, toward: {} },
): HostState {
  const rows = peers.flatMap((peer): Row[] => {
    const own = toward[peer.name]
    if (own) return isNone(own) ? [] : [impairmentToward(host.nic, peer, own)]
    return isNone(all) ? [] : [impairmentToward(host.nic, peer, 'shared')]
  })
  if (rows.length === 0) return {}
  checkClasses(host, peers)
  const shares = peers.some((peer) => !toward[peer.name]) && !isNone(all)
  return { impairments: tableOf([...(shares ? [sharedImpairment(host.nic, all)] : []), ...rows]) }
}

function isNone(one: Impairment): boolean {
  return Object.values(one).every((value) => value === undefined)
}

function checkClasses(host: Node, peers: readonly Node[]): void {
  const owners = new Map<number, Node>()
  for (const peer of peers) {
    const owner = owners.get(classOf(peer.address))
    if (owner)
      throw new Error(
        `${host.name}: the impairments toward ${owner.name} (${owner.address}) and ${peer.name} (${peer.address}) cannot be told apart, since their addresses end alike; give one of them another address`,
      )
    owners.set(classOf(peer.address), peer)
  }
}
