import type { Change } from './module.ts'
import type { TableName } from './state.ts'

/**
 * Whether a change must go through its phases in step on all hosts. It must where some host moves packets from
 * one way to another: it changes a route or a peer of the udp datapath (both say which host has a subnet), or adds
 * some routes and deletes others. Hosts that only gain or only lose entries (a first build, a host that joins or
 * leaves) disturb no traffic between the others.
 */
export function needsBarrier(changes: Readonly<Record<string, readonly Change[]>>): boolean {
  return Object.values(changes).some((ofHost) => {
    const has = (table: TableName, op: Change['op']): boolean =>
      ofHost.some((change) => change.table === table && change.op === op)
    return (
      has('routes', 'change') || has('peers', 'change') || (has('routes', 'add') && has('routes', 'delete'))
    )
  })
}
