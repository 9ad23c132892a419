/**
 * flannel's chains in iptables, by flannel's own names and comments. A chain `FLANNEL-*` that stands in the plan is
 * overlab's as a whole; of the built-in chains only the jump into it is. Everything else stays as it is: other
 * rules, their order, policies and counters.
 *
 * Keys: `nat FLANNEL-POSTRTG 2` (table, chain, position) -> the rule as `iptables-save` prints it, and
 * `nat POSTROUTING flanneld masq` (table, chain, comment) -> the jump. A rule that should not be there shows as
 * `nat FLANNEL-POSTRTG 2+1`: the first one after the second of ours.
 */
import type { Cidr } from '../inventory/values.ts'
import { z } from 'zod'
import { align } from './align.ts'
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

  /** Without `-t`: that would make the table. A host with thousands of rules sends only the few that matter. */
  probe: ({ host }) =>
    `if command -v ${tool(host, 'save')} >/dev/null; then ${tool(host, 'save')} 2>/dev/null | grep -E '^([*]|:FLANNEL-|-A FLANNEL-|-A (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) .*-j FLANNEL-)' || :; fi`,

  parse(output, { desired, prior }) {
    const saved = readSave(output)
    const wanted = { ...chainsOf(prior), ...chainsOf(desired) }
    const table: Record<string, string> = {}
    for (const [name, chain] of Object.entries(wanted)) {
      const rules = saved.rules.get(name)
      if (!rules) continue
      const planned = chainsOf(desired)[name]
      const { at, extra } = align(rules, planned ?? chain)
      for (const [index, rule] of at) table[`${name} ${index + 1}`] = rule
      for (const { after, count, item } of extra) table[`${name} ${after}+${count}`] = item
      if (!planned && rules.length === 0) table[`${name} 0`] = 'empty chain'
    }
    const targets = new Set(Object.keys(wanted))
    for (const { table: where, chain, rule } of saved.jumps) {
      const target = rule.match(/-j (\S+)/)?.[1] ?? ''
      if (!targets.has(`${where} ${target}`)) continue
      const comment = rule.match(/^-m comment --comment (?:"([^"\\]*)"|(\S+)) -j \S+$/)
      const key = `${where} ${chain} ${comment ? (comment[1] ?? comment[2]) : target}`
      const line = comment ? `-j ${target}` : rule
      let free = key
      for (let nth = 2; free in table; nth++) free = `${key} +${nth}`
      table[free] = line
    }
    return table
  },

  diff: (current, desired) => diffTable('iptables', current, desired),

  render(changes, { desired, host }) {
    const command = restore(host)
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
      const comment = rest.replace(/ [+][0-9]+$/, '')
      const full = (line: string): string =>
        jumpLine.test(line) ? `-m comment --comment "${comment}" ${line}` : line
      if (change.op !== 'add') {
        const target = change.from.match(/-j (\S+)/)?.[1] ?? ''
        const where = kept.has(`${table} ${target}`) ? prepare : sweep
        where.add(table, `-D ${chain} ${full(change.from)}`, change)
      }
      if (change.op !== 'delete') prepare.add(table, `-A ${chain} ${full(change.to)}`, change)
    }
    const batches: Batch[] = [
      { phase: 'prepare', command, lines: prepare.lines() },
      { phase: 'sweep', command, lines: sweep.lines() },
    ]
    return batches.filter(({ lines }) => lines.length > 0)
  },
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

function tool({ iptables }: HostFacts, act: 'save' | 'restore'): string {
  return iptables === 'auto' ? `iptables-${act}` : `iptables-${iptables}-${act}`
}

/** -w: legacy's lock may be another program's for a moment (seconds). */
function restore(host: HostFacts): string {
  const name = tool(host, 'restore')
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

interface Saved {
  /** `nat FLANNEL-POSTRTG` -> its rules. */
  readonly rules: ReadonlyMap<string, string[]>
  readonly jumps: readonly { table: string; chain: string; rule: string }[]
}

/** Reads what the probe left of `iptables-save`; counters (`-c`) and CRs are nobody's default and not expected. */
function readSave(output: string): Saved {
  const rules = new Map<string, string[]>()
  const jumps: { table: string; chain: string; rule: string }[] = []
  let table = ''
  for (const line of output.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim()
    else if (line.startsWith(':FLANNEL-')) rules.set(`${table} ${line.slice(1).split(' ')[0]}`, [])
    else if (line.startsWith('-A ')) {
      const [, chain = '', rule = ''] = line.match(/^-A (\S+) ?(.*)$/) ?? []
      const own = rules.get(`${table} ${chain}`)
      if (own) own.push(rule.trim())
      else if (/-j FLANNEL-/.test(rule)) jumps.push({ table, chain, rule: rule.trim() })
    }
  }
  return { rules, jumps }
}
