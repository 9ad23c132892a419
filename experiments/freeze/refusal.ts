/** Why a network cannot be frozen as it is, in words: what, where, and what to do. Pure. */
import type { Contradiction } from './verdict.ts'
import type { Stranger, Testimony } from './testimony.ts'
import { overlabCommand } from '../../tools/command-line.ts'

export interface Refusal {
  readonly what: string
  /** One line each: an entry, and who has it. */
  readonly entries: readonly string[]
  readonly todo: string
}

export function ofContradiction({ about, fact, said }: Contradiction): Refusal {
  return {
    what: `${about}: two things are said of its ${fact}`,
    entries: said.flatMap(({ value, by }) => by.map((one) => `${value}: ${saying(one)}`)),
    todo: `${overlabCommand('up')} puts the rows right, and starts anew each flanneld that lacks some; then freeze`,
  }
}

/** All of them at once: one host that left its lease behind has an entry on every other host. */
export function ofStrangers(strangers: readonly Stranger[]): Refusal[] {
  if (strangers.length === 0) return []
  return [
    {
      what: 'there are entries for hosts that are not in the inventory, and a frozen network would lose them',
      entries: strangers.map(({ by, entry, why }) => `${by}: ${entry}: ${why}`),
      todo: 'of a host that lives: put it into the inventory; of one that is gone: etcdctl del its key, which makes the flannelds forget it, and delete what is left; then freeze',
    },
  ]
}

/** Keys of flannel's configuration in which etcd differs from the inventory. */
export function ofConfig(differences: readonly string[]): Refusal {
  return {
    what: "etcd's net-conf.json is not the inventory's overlay",
    entries: differences,
    todo: `${overlabCommand('up')} writes the inventory's; or write etcd's into the inventory; then freeze`,
  }
}

export function textOf(lab: string, refusals: readonly Refusal[]): string {
  const blocks = refusals.map(({ what, entries, todo }) =>
    [what, ...entries.map((entry) => `  ${entry}`), `  ${todo}`].join('\n  '),
  )
  return [`${lab} cannot be frozen as it is; nothing was written`, ...blocks].join('\n  ')
}

function saying({ by, entry }: Testimony): string {
  return `${by} (${entry})`
}
