/**
 * Impairments of links: rate, delay, jitter and loss of what a host sends to its peers, by tc on its NIC.
 *
 *   qdisc htb 7979: root, whose number says that all below it is overlab's; it lets pass what no filter names: SSH and
 *   |               everything else of the controller's
 *   +- filters u32, two a peer: its underlay address (encapsulated packets), its pods' subnet (routed ones, host-gw)
 *   +- class 7979:ffff, of the peers that share one rate, delay and so on (row `eth0`)
 *   +- class 7979:4d02, of the peer 192.168.77.2 alone: the last 16 bits of its address
 *      +- one qdisc: tbf where there is a rate and nothing else, which every kernel has; else netem, which knows all four
 *
 * A setting is changed in place, and no packet is lost; a peer whose class changes has none for a moment. Only the
 * first impairment of a NIC, and taking away the last one, make the kernel stop its transmission for some
 * milliseconds, as with tc filters (filter.ts). The NIC's ingress (clsact) is another place, and not touched.
 */
import {
  duration,
  durationText,
  rate,
  rateText,
  share,
  shareText,
  bitsOf,
  microsecondsOf,
} from '../inventory/quantities.ts'
import type { Duration, Rate, Share } from '../inventory/quantities.ts'
import { cidr, ifName, ip, type Cidr, type IfName, type Ip } from '../inventory/values.ts'
import { otherWords, readEntries, textOf, type Entry, entryOf } from './json.ts'
import { diffTable, type Batch, type BatchLine, type Change, type Module, type Row } from './module.ts'
import { qdiscHandle } from './owner.ts'
import type { Table } from './state.ts'
import { flag, readWords, rowSchema, writeWords, type Grammar, type Words } from './words.ts'

const quantities: Grammar = { rate, delay: duration, jitter: duration, loss: share }
const grammar: Grammar = { subnet: cidr, shared: flag, ...quantities }
const order = Object.keys(grammar)

interface Quantities {
  readonly rate?: Rate | undefined
  readonly delay?: Duration | undefined
  readonly jitter?: Duration | undefined
  readonly loss?: Share | undefined
}

/** Of all peers that share it; their rows say so. */
export function sharedImpairment(nic: IfName, quantities: Quantities): Row {
  return { key: nic, line: lineOf(quantities) }
}

/** Toward one peer; `shared` = by the NIC's row. */
export function impairmentToward(
  nic: IfName,
  peer: { address: Ip; subnet: Cidr },
  quantities: Quantities | 'shared',
): Row {
  const line = quantities === 'shared' ? quantities : lineOf(quantities)
  return { key: `${nic} to ${peer.address}`, line: `subnet ${peer.subnet} ${line}` }
}

function lineOf(quantities: Quantities): string {
  return writeWords(new Map(Object.entries(quantities).filter(([, value]) => value !== undefined)), order)
}

/** The class of the NIC's own row. No host of a /16 or a longer prefix has this end: it is the broadcast's. */
const sharedClass = 0xffff

/** A peer's class, and the preference of its filters: the last 16 bits of its address. Two peers of one host must differ in them. */
export function classOf(address: string): number {
  const [, , high, low] = address.split('.').map(Number)
  return high! * 256 + low!
}

export const impairmentModule: Module = {
  table: 'impairments',
  noun: 'impairment',
  row: rowSchema(({ key, line }, complain) => {
    const place = placeOf(key)
    if (
      !ifName.safeParse(place.nic).success ||
      (place.peer !== undefined && !ip.safeParse(place.peer).success)
    )
      complain('key', 'is not of the form "eth0" or "eth0 to 192.168.77.2"')
    else if (place.peer !== undefined && [0, sharedClass].includes(classOf(place.peer)))
      complain('key', 'ends in .0.0 or .255.255, for which there is no class')
    const words = readWords(line, grammar, (message) => complain('line', message))
    if ((place.peer === undefined) === words.has('subnet'))
      complain('line', place.peer ? '"subnet" is missing' : '"subnet" is for the way to one peer')
    const some = Object.keys(quantities).some((word) => words.has(word))
    if (some === words.has('shared'))
      complain(
        'line',
        `needs ${place.peer ? '"shared" or ' : ''}some of ${Object.keys(quantities).join(', ')}`,
      )
    if (place.peer === undefined && words.has('shared'))
      complain('line', '"shared" is for the way to one peer; it leads to this row')
    if (words.has('jitter') && !words.has('delay')) complain('line', '"jitter" needs "delay"')
    return writeWords(words, order)
  }),

  /** The NIC is asked even where nothing is wanted: what is left of a run that nobody remembers is seen. */
  probe({ desired, prior, host }) {
    const nics = new Set([host.nic, ...Object.keys({ ...desired, ...prior }).map((key) => placeOf(key).nic)])
    return [
      `for dev in ${[...nics].join(' ')}`,
      `do qdiscs=$(tc -j qdisc show dev "$dev" 2>/dev/null | tr -d '\\n')`,
      `case $qdiscs in *'"${qdiscHandle}"'*)`,
      `echo "qdiscs $dev $qdiscs"; echo "filters $dev $(tc -j filter show dev "$dev" parent ${qdiscHandle} | tr -d '\\n')"`,
      `;; esac; done`,
    ].join('\n')
  },

  parse(output, { desired, prior }) {
    const table: Record<string, string> = {}
    const sections = output.split('\n').flatMap((line) => {
      const [kind, nic = ''] = line.split(' ', 2)
      return nic === '' ? [] : [{ kind, nic, json: line.slice(`${kind} ${nic} `.length) }]
    })
    for (const { nic, json } of sections.filter(({ kind }) => kind === 'qdiscs')) {
      const qdiscs = readEntries(json, 'tc -j qdisc show')
      if (
        !qdiscs.some((one) => one['root'] === true && one['handle'] === qdiscHandle && one['kind'] === 'htb')
      )
        continue
      const filters = sections.find((one) => one.kind === 'filters' && one.nic === nic)?.json ?? ''
      Object.assign(
        table,
        rowsOf(nic, qdiscs, readEntries(filters, 'tc -j filter show'), { ...prior, ...desired }),
      )
      // The root alone does nothing. Where none is wanted it is a leftover.
      const mentions = (rows: object) => Object.keys(rows).some((key) => placeOf(key).nic === nic)
      if (!mentions(table) && !mentions(desired)) table[nic] = 'nothing'
    }
    return table
  },

  diff: (current, desired) => diffTable('impairments', current, desired),

  render(changes, { desired }) {
    const settled = changes.filter((change) => change.op !== 'delete')
    // What the kernel lacks is told before anything is changed.
    const check = onceEach(settled, ({ to }) => kernelNeeds(to))
    const root = onceEach(settled, ({ key }) => [rootOf(placeOf(key).nic)])
    const prepare = settled.flatMap((change) => lines(change, settings(change)))
    const sweep: BatchLine[] = []
    for (const [nic, own] of Map.groupBy(changes, ({ key }) => placeOf(key).nic)) {
      const gone = own.filter((change) => change.op === 'delete')
      if (gone.length > 0 && !Object.keys(desired).some((key) => placeOf(key).nic === nic))
        sweep.push({ text: `qdisc del dev ${nic} root`, change: gone[0]! })
      else sweep.push(...leftovers(nic, own))
    }
    const batches: Batch[] = [
      { phase: 'prepare', command: 'sh -e', lines: [...check, ...root] },
      { phase: 'prepare', command: 'tc -batch -', lines: prepare },
      { phase: 'sweep', command: 'tc -batch -', lines: sweep },
    ]
    return batches.filter((batch) => batch.lines.length > 0)
  },
}

/** The NICs whose root these rows replace. */
export function impairedNics(rows: Table): string[] {
  return [...new Set(Object.keys(rows).map((key) => placeOf(key).nic))]
}

interface Place {
  readonly nic: string
  /** A peer's address; undefined for the NIC's own row. */
  readonly peer: string | undefined
}

function placeOf(key: string): Place {
  const at = key.indexOf(' to ')
  return at < 0
    ? { nic: key, peer: undefined }
    : { nic: key.slice(0, at), peer: key.slice(at + ' to '.length) }
}

function wordsOf(line: string): Words {
  return readWords(line, grammar, () => {})
}

function minorOf(peer: string | undefined): number {
  return peer === undefined ? sharedClass : classOf(peer)
}

function classId(peer: string | undefined): string {
  return `${qdiscHandle}${minorOf(peer).toString(16)}`
}

/** Commands that fail with the reason where the kernel cannot do it. */
function kernelNeeds(line: string): string[] {
  const words = wordsOf(line)
  return [...(words.has('shared') ? [] : [kernelHas(isNetem(words) ? 'netem' : 'tbf')]), kernelHas('htb')]
}

const trials = {
  htb: ['htb', 'impairments'],
  tbf: ['tbf rate 1mbit burst 2000 latency 1ms', 'limit of the rate'],
  netem: ['netem delay 1ms', 'delay, jitter or loss'],
} as const

/** Tried where it touches nothing: in a network namespace that ends with the command. */
function kernelHas(kind: keyof typeof trials): string {
  const [trial, what] = trials[kind]
  const why = `the kernel has no sch_${kind} (CONFIG_NET_SCH_${kind.toUpperCase()}), and so no ${what} on a link`
  const todo =
    kind === 'netem'
      ? 'keep rate alone in impairments, or use machines whose kernel has it'
      : 'remove impairments'
  return `! command -v unshare >/dev/null || unshare --net tc qdisc add dev lo root ${trial} 2>/dev/null || { echo '${why}; ${todo}' >&2; exit 1; }`
}

/** What the kernel gives a NIC by itself has the handle 0; any other is somebody's. */
function rootOf(nic: string): string {
  const foreign = `set -- $root; echo "${nic} has a qdisc of somebody else at its root ($2 $3); remove it (tc qdisc del dev ${nic} root), or the impairments" >&2; exit 1`
  return (
    `root=$(tc qdisc show dev ${nic} | grep ' root ' | head -n 1); ` +
    `case $root in 'qdisc htb ${qdiscHandle} '*) ;; ''|'qdisc '*' 0: '*) tc qdisc add dev ${nic} root handle ${qdiscHandle} htb default 0 ;; *) ${foreign} ;; esac`
  )
}

/** Filters go first: a class can go when none leads into it any more. */
function leftovers(nic: string, changes: readonly Change[]): BatchLine[] {
  const filters: BatchLine[] = []
  const classes: BatchLine[] = []
  for (const change of changes) {
    const { peer } = placeOf(change.key)
    if (change.op === 'add') continue
    const had = !wordsOf(change.from).has('shared')
    if (change.op === 'delete' && peer)
      filters.push({
        text: `filter del dev ${nic} parent ${qdiscHandle} protocol ip pref ${classOf(peer)}`,
        change,
      })
    if (had && (change.op === 'delete' || wordsOf(change.to).has('shared')))
      classes.push({ text: `class del dev ${nic} classid ${classId(peer)}`, change })
  }
  return [...filters, ...classes]
}

/** Lines of `tc -batch` that bring one row about, whatever is there of it. */
function settings(change: Exclude<Change, { op: 'delete' }>): string[] {
  const { nic, peer } = placeOf(change.key)
  const to = wordsOf(change.to)
  const from = change.op === 'change' ? wordsOf(change.from) : undefined
  const said: string[] = []
  if (!to.has('shared'))
    said.push(
      // Faster than any link: the limit is the class's own qdisc.
      `class replace dev ${nic} parent ${qdiscHandle} classid ${classId(peer)} htb rate 32gbit burst 1mb cburst 1mb quantum 60000`,
      `qdisc replace dev ${nic} parent ${classId(peer)} ${leafOf(to)}`,
    )
  if (peer === undefined) return said
  const led = (words: Words | undefined): string => `${words?.get('subnet')} ${words?.has('shared')}`
  const strange = change.op === 'change' && /\bled\b/.test(change.from)
  if (from && led(from) === led(to) && !strange) return said
  const filter = `dev ${nic} parent ${qdiscHandle} protocol ip pref ${classOf(peer)}`
  if (from) said.push(`filter del ${filter}`)
  for (const prefix of [`${peer}/32`, to.get('subnet')])
    said.push(
      `filter add ${filter} u32 match ip dst ${prefix} flowid ${classId(to.has('shared') ? undefined : peer)}`,
    )
  return said
}

function isNetem(words: Words): boolean {
  return ['delay', 'jitter', 'loss'].some((word) => words.has(word))
}

/** How long a packet may wait for its turn where there is a rate, in seconds; more is lost. tc's examples have 50ms. */
const patience = 0.05

/** tbf: more than the longest packet (inventory/impairments.ts), and what the rate passes in 4 ms, a tick of a slow clock. */
function burstOf(bitsASecond: number): number {
  return Math.max(16_384, Math.ceil((bitsASecond / 8) * 0.004))
}

/** netem: packets that wait for their delay, and for their turn at a rate. */
function limitOf(words: Words): number {
  const bits = words.has('rate') ? bitsOf(words.get('rate') as Rate) : undefined
  // More than a NIC of 100 Gbit/s sends in 10 ms, or one of 1 Gbit/s in a second: nothing is lost but by `loss`.
  if (bits === undefined) return 100_000
  const seconds = ['delay', 'jitter'].reduce(
    (sum, word) => sum + (words.has(word) ? microsecondsOf(words.get(word) as Duration) / 1e6 : 0),
    patience,
  )
  return Math.max(50, Math.ceil((bits / 8 / 1500) * seconds))
}

function leafOf(words: Words): string {
  const rate = words.get('rate')
  if (!isNetem(words))
    return `tbf rate ${rate} burst ${burstOf(bitsOf(rate as Rate))} latency ${patience * 1000}ms`
  const delay = words.has('delay') ? ` delay ${words.get('delay')}` : ''
  const jitter = words.has('jitter') ? ` ${words.get('jitter')}` : ''
  const loss = words.has('loss') ? ` loss ${words.get('loss')}` : ''
  // A rate that is not named would stay as it was.
  return `netem limit ${limitOf(words)}${delay}${jitter}${loss} rate ${rate ?? '0bit'}`
}

/** What each class does, by its number; `known` says which of two roundings is meant. */
function rowsOf(nic: string, qdiscs: readonly Entry[], filters: readonly Entry[], known: Table): Table {
  const table: Record<string, string> = {}
  const leaves = new Map(
    qdiscs.flatMap((one): [string, Entry][] => {
      const parent = textOf(one, 'parent')
      return parent.startsWith(qdiscHandle) ? [[parent, one]] : []
    }),
  )
  const wantedOf = (key: string): Words => wordsOf(known[key] ?? '')
  const shared = leaves.get(classId(undefined))
  if (shared) table[nic] = leafWords(shared, wantedOf(nic)).join(' ')

  const led = Map.groupBy(
    filters.flatMap((filter) => {
      const options = entryOf(filter, 'options') ?? {}
      const match = entryOf(options, 'match')
      return match
        ? [{ pref: Number(filter['pref']), flow: textOf(options, 'flowid'), prefix: prefixOf(match) }]
        : []
    }),
    ({ pref }) => pref,
  )
  for (const [pref, found] of led) {
    const peer =
      found.find(({ prefix }) => prefix.endsWith('/32'))?.prefix.split('/')[0] ??
      // Somebody took the filter of the peer's own address away.
      Object.keys(known)
        .map((key) => placeOf(key).peer)
        .find((one) => one !== undefined && classOf(one) === pref)
    if (peer === undefined) continue
    const key = `${nic} to ${peer}`
    const subnet = found.find(({ prefix }) => !prefix.endsWith('/32'))?.prefix
    const words = subnet === undefined ? [] : [`subnet ${subnet}`]
    const flows = [...new Set(found.map(({ flow }) => flow))]
    const leaf = leaves.get(classId(peer))
    if (flows[0] === classId(undefined)) words.push('shared')
    else words.push(...(leaf ? leafWords(leaf, wantedOf(key)) : ['nothing']))
    const usual =
      found.length === 2 && flows.length === 1 && [classId(undefined), classId(peer)].includes(flows[0]!)
    if (!usual || pref !== classOf(peer)) words.push(`led by ${found.length} filters to ${flows.join(' ')}`)
    table[key] = words.join(' ')
  }
  return table
}

/** `c0a84d02`, `ffffffff` -> `192.168.77.2/32`. Leading zeros are missing in what tc prints. */
function prefixOf(match: Entry): string {
  const bytes = (field: string): number[] =>
    textOf(match, field)
      .padStart(8, '0')
      .match(/../g)!
      .map((byte) => parseInt(byte, 16))
  const length = bytes('mask').reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
  return Number(match['off']) === 16
    ? `${bytes('value').join('.')}/${length}`
    : `at-${textOf(match, 'off')}/0`
}

function leafWords(leaf: Entry, wanted: Words): string[] {
  const options = entryOf(leaf, 'options') ?? {}
  switch (textOf(leaf, 'kind')) {
    case 'tbf':
      return tbfWords(options, wanted)
    case 'netem':
      return netemWords(options, wanted)
    default:
      return [textOf(leaf, 'kind')]
  }
}

function tbfWords(options: Entry, wanted: Words): string[] {
  const rate = rateFound(options['rate'], wanted)
  const words = [`rate ${rate}`]
  // The kernel counts in ticks, and tc rounds.
  const differs = (field: string, expected: number) =>
    Math.abs(Number(options[field]) - expected) > expected / 50
  if (differs('burst', burstOf(bitsOf(rate)))) words.push(`burst ${textOf(options, 'burst')}`)
  if (differs('lat', patience * 1e6)) words.push(`latency ${textOf(options, 'lat')}us`)
  return [...words, ...otherWords(options, new Set(['rate', 'burst', 'lat']))]
}

function netemWords(options: Entry, wanted: Words): string[] {
  const found = new Map<string, string>()
  const rate = entryOf(options, 'rate')
  if (rate) found.set('rate', rateFound(rate['rate'], wanted))
  const delay = entryOf(options, 'delay')
  for (const word of ['delay', 'jitter'] as const)
    if (Number(delay?.[word] ?? 0) > 0)
      found.set(word, durationFound(Number(delay![word]) * 1e6, wanted.get(word)))
  const loss = entryOf(options, 'loss-random')
  if (loss) found.set('loss', shareText(Number(loss['loss'])))
  const words = [writeWords(found, order)].filter((text) => text !== '')
  if (Number(options['limit']) !== limitOf(found)) words.push(`limit ${textOf(options, 'limit')}`)
  const rest = {
    ...options,
    ...inner(rate, ['rate']),
    ...inner(delay, ['delay', 'jitter']),
    ...inner(loss, ['loss']),
  }
  const said = [
    ...words,
    ...otherWords(rest, new Set(['limit', 'delay', 'loss-random', 'rate', 'jitter', 'loss'])),
  ]
  return said.length > 0 ? said : ['nothing']
}

/** The fields of a part of netem's answer that overlab never sets: `correlation`. */
function inner(part: Entry | undefined, known: readonly string[]): Entry {
  return Object.fromEntries(Object.entries(part ?? {}).filter(([field]) => !known.includes(field)))
}

/** Bytes a second; tc rounds down to whole ones. */
function rateFound(bytes: unknown, wanted: Words): Rate {
  const bits = Number(bytes) * 8
  const meant = wanted.get('rate') as Rate | undefined
  return meant !== undefined && Math.abs(bitsOf(meant) - bits) < 8 ? meant : rateText(bits)
}

/** The kernel's clock ticks every 64 ns, and tc cuts off what is below a microsecond. */
function durationFound(microseconds: number, wanted: string | undefined): Duration {
  const meant = wanted as Duration | undefined
  const found = Math.round(microseconds)
  return meant !== undefined && Math.abs(microsecondsOf(meant) - found) <= 1 ? meant : durationText(found)
}

/** Each text once, with the first change that needs it. */
function onceEach<C extends Change>(changes: readonly C[], textsOf: (change: C) => string[]): BatchLine[] {
  const said = new Set<string>()
  return changes.flatMap((change) =>
    lines(
      change,
      textsOf(change).filter((text) => !said.has(text) && said.add(text)),
    ),
  )
}

function lines(change: Change, texts: readonly string[]): BatchLine[] {
  return texts.map((text) => ({ text, change }))
}
