/**
 * flannel's chains in iptables, by flannel's own names and comments. A chain `FLANNEL-*` that stands in the plan is
 * overlab's as a whole; of the built-in chains only the jump into it is. Everything else stays as it is: other
 * rules, their order, policies and counters.
 *
 * Keys: `nat FLANNEL-POSTRTG 2` (table, chain, position) -> the rule as `iptables-save` prints it, and
 * `nat POSTROUTING flanneld masq` (table, chain, comment; the target where a jump has none) -> the jump. A rule that
 * should not be there shows as `nat FLANNEL-POSTRTG 2+1`: the first one after the second of ours. What overlab wrote
 * with the variant that the host does not use any more shows with that variant's name before it,
 * `legacy nat FLANNEL-POSTRTG 2`, and goes.
 *
 * Another flannel has chains of the same names. One that overlab does not want, or one of the other variant, is
 * overlab's only by the rules that overlab wrote (`prior`): else it and the jumps into it are left alone.
 */
import type { Cidr } from '../inventory/values.ts'
import { z } from 'zod'
import { align } from './align.ts'
import { readSaves, saveProbe, type Jump, type Saved } from './iptables-save.ts'
import {
  diffTable,
  type Batch,
  type BatchLine,
  type Change,
  type HostFacts,
  type Module,
  type Row,
} from './module.ts'
import type { Table } from './state.ts'
import { shown } from './words.ts'

/** Rules and jumps exactly as flanneld v0.28.10 leaves them (its `pkg/trafficmngr/iptables`). */
export function flannelRules({ network, subnet }: { network: Cidr; subnet: Cidr }): Row[] {
  const masq = '-m comment --comment "flanneld masq"'
  const forward = '-m comment --comment "flanneld forward"'
  const nat = [
    `-m mark --mark 0x4000/0x4000 ${masq} -j RETURN`,
    `-s ${subnet} -d ${network} ${masq} -j RETURN`,
    `-s ${network} -d ${subnet} ${masq} -j RETURN`,
    `! -s ${network} -d ${subnet} ${masq} -j RETURN`,
    `-s ${network} ! -d 224.0.0.0/4 ${masq} -j MASQUERADE --random-fully`,
    `! -s ${network} -d ${network} ${masq} -j MASQUERADE --random-fully`,
  ]
  const filter = [`-s ${network} ${forward} -j ACCEPT`, `-d ${network} ${forward} -j ACCEPT`]
  return [
    ...filter.map((line, at) => ({ key: `filter FLANNEL-FWD ${at + 1}`, line })),
    { key: 'filter FORWARD flanneld forward', line: '-j FLANNEL-FWD' },
    ...nat.map((line, at) => ({ key: `nat FLANNEL-POSTRTG ${at + 1}`, line })),
    { key: 'nat POSTROUTING flanneld masq', line: '-j FLANNEL-POSTRTG' },
  ]
}

const ruleKey = /^(filter|nat) (FLANNEL-[A-Z0-9-]{1,20}) ([1-9][0-9]{0,3})$/
const jumpKey =
  /^(filter|nat) (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) ([A-Za-z0-9][A-Za-z0-9 _-]{0,60})$/
const jumpLine = /^-j FLANNEL-[A-Z0-9-]{1,20}$/
const ruleLine = /^(! )?-[A-Za-z0-9 _./:,!"=+-]{1,400}$/

export const iptablesModule: Module = {
  table: 'iptables',
  noun: 'iptables rule',
  row: z.object({ key: z.string(), line: z.string() }).transform(({ key, line }, context) => {
    const text = line.trim().replace(/ +/g, ' ')
    const complain = (message: string): never => {
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
    if (jumpKey.test(key))
      return jumpLine.test(text)
        ? text
        : complain(`value ${shown(line)}: is not a jump such as "-j FLANNEL-POSTRTG"`)
    if (!ruleKey.test(key))
      return complain(
        `key ${shown(key)}: is not of the form "nat FLANNEL-POSTRTG 2" or "nat POSTROUTING flanneld masq"`,
      )
    return ruleLine.test(text) && text.split('"').length % 2 === 1
      ? text
      : complain(`value ${shown(line)}: is not a rule as iptables-save prints it`)
  }),

  probe: ({ host, desired, prior }) =>
    Object.keys({ ...desired, ...prior }).length === 0 ? ':' : saveProbe(host),

  parse(output, { desired, prior }) {
    const { own: saved, others } = readSaves(output)
    const planning = chainsOf(desired)
    const written = writtenChains(prior)
    const wanted = { ...written, ...planning }
    const table: Record<string, string> = {}
    const chains = new Set<string>()
    for (const [name, chain] of Object.entries(wanted)) {
      const rules = saved.rules.get(name)
      const planned = planning[name]
      if (!planned && rules && !isWritten(rules, chain) && !isChanged(rules, chain)) continue
      chains.add(name)
      if (!rules) continue
      const { at, extra } = align(rules, planned ?? chain)
      for (const [index, rule] of at) table[`${name} ${index + 1}`] = rule
      for (const { after, count, item } of extra) table[`${name} ${after}+${count}`] = item
      if (!planned && rules.length === 0) table[`${name} 0`] = 'empty chain'
    }
    addJumps(table, saved, chains)
    for (const [variant, left] of others)
      for (const [key, line] of Object.entries(leftovers(left, written))) table[`${variant} ${key}`] = line
    return table
  },

  diff: (current, desired) => diffTable('iptables', current, desired),

  render(all, { desired, host }) {
    const changes = all.filter(({ key }) => !otherKey.test(key))
    const kept = new Set(Object.keys(chainsOf(desired)))
    const added = chainsOf(
      Object.fromEntries(changes.flatMap((change) => (change.op === 'add' ? [[change.key, change.to]] : []))),
    )
    const prepare = new Commands()
    const sweep = new Commands()
    // Deletions first and from the end, so that every position is still right when its turn comes; the rest from the top.
    for (const change of [...changes].sort((a, b) => orderOf(a, changes) - orderOf(b, changes))) {
      const { table, chain, rest } = partsOf(change.key)
      const name = `${table} ${chain}`
      if (chain.startsWith('FLANNEL-')) {
        if (change.op === 'delete') {
          if (kept.has(name)) prepare.add(table, `-D ${chain} ${positionOf(change, changes)}`, change)
          else sweep.drop(table, chain, change)
        } else if (change.op === 'change') prepare.add(table, `-R ${chain} ${rest} ${change.to}`, change)
        // All rules are missing: so may be the chain. Naming a chain makes it, or empties it.
        else if (added[name]!.length === chainsOf(desired)[name]?.length) {
          prepare.make(table, chain)
          prepare.add(table, `-A ${chain} ${change.to}`, change)
        } else prepare.add(table, `-I ${chain} ${rest} ${change.to}`, change)
        continue
      }
      if (change.op !== 'add') {
        const where = kept.has(`${table} ${targetOf(change.from)}`) ? prepare : sweep
        where.add(table, `-D ${chain} ${jumpOf(rest, change.from)}`, change)
      }
      if (change.op !== 'delete') prepare.add(table, `-A ${chain} ${jumpOf(rest, change.to)}`, change)
    }
    const batches: Batch[] = [
      { phase: 'prepare', command: restore(host.iptables), lines: prepare.lines() },
      { phase: 'sweep', command: restore(host.iptables), lines: sweep.lines() },
      ...(['nft', 'legacy'] as const).map((variant): Batch => {
        const lines = removal(all.filter(({ key }) => key.startsWith(`${variant} `)))
        return { phase: 'sweep', command: restore(variant), lines }
      }),
    ]
    return batches.filter(({ lines }) => lines.length > 0)
  },
}

/** Keys of what the other variant has. */
const otherKey = /^(nft|legacy) /

/** Adds the jumps into these chains; one that stands twice is told apart by ` +2`. */
function addJumps(table: Record<string, string>, { jumps }: Saved, chains: ReadonlySet<string>): void {
  for (const jump of jumps) {
    const target = targetOf(jump.rule)
    if (!chains.has(`${jump.table} ${target}`)) continue
    const comment = commentOf(jump)
    const key = `${jump.table} ${jump.chain} ${comment ?? target}`
    let free = key
    for (let nth = 2; free in table; nth++) free = `${key} +${nth}`
    table[free] = comment === undefined ? jump.rule : `-j ${target}`
  }
}

/** All that another variant has of the chains that overlab wrote, by the keys that it would have in the chosen one. */
function leftovers(
  saved: Saved,
  written: Readonly<Record<string, readonly string[]>>,
): Record<string, string> {
  const table: Record<string, string> = {}
  const chains = new Set<string>()
  for (const [name, rules] of saved.rules) {
    if (!isWritten(rules, written[name])) continue
    chains.add(name)
    if (rules.length === 0) table[`${name} 0`] = 'empty chain'
    rules.forEach((rule, index) => (table[`${name} ${index + 1}`] = rule))
  }
  addJumps(table, saved, chains)
  return table
}

/** The chains that overlab wrote, with whichever variant: a refresh knows those of the other one by their own keys. */
function writtenChains(prior: Table): Record<string, string[]> {
  const chains: Record<string, string[]> = {}
  for (const prefix of ['', 'nft ', 'legacy ']) {
    const rows = Object.entries(prior).flatMap(([key, line]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), line] as const] : [],
    )
    for (const [name, rules] of Object.entries(chainsOf(Object.fromEntries(rows))))
      chains[name] = [...(chains[name] ?? []), ...rules]
    // An emptied chain has no rule to be known by.
    for (const [key] of rows) if (/^(filter|nat) FLANNEL-\S+ 0$/.test(key)) chains[key.slice(0, -2)] ??= []
  }
  return chains
}

/**
 * Whether a chain with these rules is the one that overlab wrote: nothing in it is another's, or somebody has put a
 * rule beside all of overlab's.
 */
function isWritten(rules: readonly string[], written: readonly string[] | undefined): boolean {
  if (!written) return false
  return rules.every((rule) => written.includes(rule)) || written.every((rule) => rules.includes(rule))
}

/**
 * Whether it is overlab's chain after a change that nobody wrote down, since a kill cut it: a rule that names the
 * network is still there. Of the variant in use only: there, another flannel would have written over it.
 */
function isChanged(rules: readonly string[], written: readonly string[]): boolean {
  return written.some((rule) => / ?-[sd] /.test(rule) && rules.includes(rule))
}

/** Takes another variant's rows away: the jumps, then the chains as a whole. */
function removal(changes: readonly Change[]): BatchLine[] {
  const sweep = new Commands()
  for (const change of changes) {
    if (change.op !== 'delete') continue
    const { table, chain, rest } = partsOf(change.key.replace(otherKey, ''))
    if (chain.startsWith('FLANNEL-')) sweep.drop(table, chain, change)
    else sweep.add(table, `-D ${chain} ${jumpOf(rest, change.from)}`, change)
  }
  return sweep.lines()
}

function targetOf(rule: string): string {
  return rule.match(/-j (\S+)/)?.[1] ?? ''
}

/**
 * The comment of a jump that has nothing else; undefined for any other. One that is a chain's name stays a part of
 * the rule, since in a key it stands for no comment.
 */
function commentOf({ rule }: Jump): string | undefined {
  const found = rule.match(/^-m comment --comment (?:"([^"\\]*)"|(\S+)) -j \S+$/)
  const comment = found?.[1] ?? found?.[2]
  return comment?.startsWith('FLANNEL-') ? undefined : comment
}

/** A jump's row as a rule; its comment is the end of its key, unless the chain's name stands there. */
function jumpOf(rest: string, line: string): string {
  if (!jumpLine.test(line) || rest.startsWith('FLANNEL-')) return line
  return `-m comment --comment "${rest.replace(/ [+][0-9]+$/, '')}" ${line}`
}

/** Commands of `iptables-restore`, by table; each table is committed as one. */
class Commands {
  readonly #tables = new Map<
    string,
    { made: Set<string>; lines: BatchLine[]; dropped: Map<string, Change> }
  >()

  add(table: string, text: string, change: Change): void {
    this.#of(table).lines.push({ text, change })
  }

  make(table: string, chain: string): void {
    this.#of(table).made.add(chain)
  }

  /** Emptied and deleted after everything else, the jumps into it above all. */
  drop(table: string, chain: string, change: Change): void {
    this.#of(table).dropped.set(chain, change)
  }

  lines(): BatchLine[] {
    return [...this.#tables].flatMap(([table, { made, lines, dropped }]) => [
      { text: `*${table}` },
      ...[...made].map((chain) => ({ text: `:${chain} - [0:0]` })),
      ...lines,
      ...[...dropped].flatMap(([chain, change]) => [
        { text: `-F ${chain}`, change },
        { text: `-X ${chain}`, change },
      ]),
      { text: 'COMMIT' },
    ])
  }

  #of(table: string): { made: Set<string>; lines: BatchLine[]; dropped: Map<string, Change> } {
    const found = this.#tables.get(table) ?? { made: new Set(), lines: [], dropped: new Map() }
    this.#tables.set(table, found)
    return found
  }
}

/** -w: legacy's lock may be another program's for a moment (seconds). */
function restore(iptables: HostFacts['iptables']): string {
  const name = iptables === 'auto' ? 'iptables-restore' : `iptables-${iptables}-restore`
  return `if command -v ${name} >/dev/null; then ${name} -w 10 --noflush; else echo '${name} is missing; install the package iptables' >&2; exit 127; fi`
}

/** `nat FLANNEL-POSTRTG` -> its rules in order, of a table of rows. */
function chainsOf(table: Table): Record<string, string[]> {
  const chains: Record<string, string[]> = {}
  const keys = Object.keys(table).filter((key) => ruleKey.test(key))
  for (const key of keys.sort((a, b) => Number(partsOf(a).rest) - Number(partsOf(b).rest))) {
    const { table: where, chain } = partsOf(key)
    ;(chains[`${where} ${chain}`] ??= []).push(table[key]!)
  }
  return chains
}

function partsOf(key: string): { table: string; chain: string; rest: string } {
  const [table = '', chain = '', ...rest] = key.split(' ')
  return { table, chain, rest: rest.join(' ') }
}

/** Position of a surplus rule in the chain as it is. By text, the first of two equal rules would go. */
function positionOf({ key }: Change, changes: readonly Change[]): number {
  const place = (of: string): readonly [number, number] => {
    const [after = '', count = '0'] = partsOf(of).rest.split('+')
    return [Number(after), Number(count)]
  }
  const [after, count] = place(key)
  const chain = (of: string): string => of.slice(0, of.lastIndexOf(' '))
  const others = changes.filter((other) => chain(other.key) === chain(key))
  const missing = others.filter((other) => other.op === 'add' && place(other.key)[0] <= after).length
  const surplus = others.filter((other) => other.op === 'delete' && place(other.key)[0] < after).length
  return after - missing + surplus + count
}

function orderOf(change: Change, changes: readonly Change[]): number {
  const { chain, rest } = partsOf(change.key)
  const isDelete = change.op === 'delete'
  if (!chain.startsWith('FLANNEL-')) return Number.MAX_SAFE_INTEGER - (isDelete ? 1 : 0)
  return isDelete ? -1 - positionOf(change, changes) : Number(rest)
}
