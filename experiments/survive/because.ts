/** Why a fault did what it did: one sentence from what was read before, during and after. Pure. */
import { moduleOf } from '../../modules/all.ts'
import type { TableName } from '../../modules/state.ts'
import type { Heals } from '../results/survival.ts'
import type { HeldByHost, Missing, Unit } from './held.ts'

export interface Evidence {
  readonly hosts: readonly string[]
  /** What was gone at any reading after the strike. */
  readonly gone: readonly Missing[]
  /** What was still gone when the watch was over, before anything was mended. */
  readonly still: readonly Missing[]
  /** The last reading: whether a flanneld was there to put things back. */
  readonly last: HeldByHost
  readonly heals: Heals
  /** What the fault itself has to tell. */
  readonly told?: string | undefined
}

type Entries = Missing & { readonly table: TableName }

export function because({ hosts, gone, still, last, heals, told }: Evidence): string {
  const entries = gone.filter(isEntries)
  const daemons = (['flanneld', 'etcd'] as const).flatMap((unit) => {
    const where = gone.filter(({ table }) => table === unit).map(({ host }) => host)
    return where.length > 0 ? `${unit} was gone on ${namesOf(where, hosts)}` : []
  })
  const parts = [
    ...(told ? [told] : []),
    ...daemons,
    ...(entries.length > 0
      ? [...lossesOf(entries, hosts), fateOf(entries, still.filter(isEntries), last, heals)]
      : daemons.length > 0
        ? ['every entry stayed in the kernel']
        : told
          ? []
          : ['nothing that the plan names was gone when the kernels were read after it']),
  ]
  return parts.join('; ')
}

/** `2 routes and 2 neighbours were gone on node3`: hosts that lost the same stand together. */
function lossesOf(entries: readonly Entries[], all: readonly string[]): string[] {
  const byWords = new Map<string, string[]>()
  for (const host of new Set(entries.map((one) => one.host))) {
    const own = entries.filter((one) => one.host === host)
    // Pods go with their machine only.
    const words = own.some(({ table }) => table === 'pods')
      ? 'all that was in the kernel was'
      : `${countsOf(own)} ${own.reduce((sum, { keys }) => sum + keys.length, 0) === 1 ? 'was' : 'were'}`
    byWords.set(words, [...(byWords.get(words) ?? []), host])
  }
  return [...byWords].map(([words, hosts]) => `${words} gone on ${namesOf(hosts, all)}`)
}

function fateOf(
  entries: readonly Entries[],
  still: readonly Entries[],
  last: HeldByHost,
  heals: Heals,
): string {
  const left = new Set(still.flatMap(({ host, table, keys }) => keys.map((key) => `${host} ${table} ${key}`)))
  const back = entries
    .map((one) => ({ ...one, keys: one.keys.filter((key) => !left.has(`${one.host} ${one.table} ${key}`)) }))
    .filter(({ keys }) => keys.length > 0)
  const byDaemon = back.some(({ host }) => last[host]?.units.includes('flanneld'))
  const who = byDaemon ? 'flanneld' : 'the kernel'
  const unneeded = 'packets between pods did not need them'
  if (left.size === 0)
    return heals === 'unharmed' ? `${who} put them back, and ${unneeded} meanwhile` : `${who} put them back`
  const rest: Readonly<Record<Heals, string>> = {
    unharmed: unneeded,
    'by itself': 'packets found their way without them',
    'by pulumi up': 'pulumi up put them back',
    never: 'not even pulumi up made the pods reach each other',
  }
  if (back.length === 0) return rest[heals]
  return `${who} put back ${countsOf(back)}; of the rest: ${rest[heals]}`
}

/** `2 routes, 2 neighbours and 1 link`, of all hosts together. */
function countsOf(entries: readonly Entries[]): string {
  const counts = new Map<TableName, number>()
  for (const { table, keys } of entries) counts.set(table, (counts.get(table) ?? 0) + keys.length)
  return listOf([...counts].map(([table, count]) => `${count} ${plural(moduleOf(table).noun, count)}`))
}

function plural(noun: string, count: number): string {
  if (count === 1) return noun
  if (noun.endsWith('y')) return `${noun.slice(0, -1)}ies`
  return noun.endsWith('s') ? `${noun}es` : `${noun}s`
}

function namesOf(hosts: readonly string[], all: readonly string[]): string {
  return hosts.length === all.length && all.length > 1 ? 'every host' : listOf(hosts)
}

function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

function isEntries(one: Missing): one is Entries {
  return (['flanneld', 'etcd'] as readonly (TableName | Unit)[]).indexOf(one.table) < 0
}
