import type { Change } from './module.ts'

/**
 * Whether a change must go through its phases in step on all hosts. It must where some host moves packets from
 * one way to another: it changes a route, or adds some and deletes others. Hosts that only gain or only lose
 * entries (a first build, a host that joins or leaves) disturb no traffic between the others.
 */
export function needsBarrier(changes: Readonly<Record<string, readonly Change[]>>): boolean {
  return Object.values(changes).some((ofHost) => {
    const ops = new Set(ofHost.filter((change) => change.table === 'routes').map((change) => change.op))
    return ops.has('change') || (ops.has('add') && ops.has('delete'))
  })
}
