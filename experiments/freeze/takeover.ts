/** What taking a host over would do to its kernel: the rows that would change, and those that only get overlab's mark. Pure. */
import { diffState } from '../../modules/apply.ts'
import type { Change } from '../../modules/module.ts'
import { unclaimed } from '../../modules/owner.ts'
import type { HostState } from '../../modules/state.ts'

export interface Takeover {
  /** How many rows the host shall hold. */
  readonly rows: number
  /** How many of them get overlab's mark and stay as they are. */
  readonly marks: number
  readonly changes: readonly Change[]
}

/** @param held read with `HostFacts.claim`, so that rows without the mark say so */
export function takeoverOf(held: HostState, desired: HostState): Takeover {
  const all = diffState(held, desired).map(withoutMark)
  const changes = all.filter((change) => change.op !== 'change' || change.from !== change.to)
  return {
    rows: Object.values(desired).reduce((sum, table) => sum + Object.keys(table).length, 0),
    marks: all.length - changes.length,
    changes,
  }
}

function withoutMark(change: Change): Change {
  if (change.op === 'add') return change
  return { ...change, from: change.from.replace(new RegExp(` ${unclaimed}$`), '') }
}
