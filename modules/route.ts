/**
 * IPv4 routes of the main table. overlab's carry its protocol number. All changes of routes are phase `switch`,
 * deletions too: a deleted /24 uncovers the network's /16, and packets then go another way.
 *
 * A route with the wanted destination, whoever put it there, is shown as it is. Where it already says what is
 * wanted, it is left alone (that is how overlab takes over from a stopped flanneld), its protocol aside.
 */
import { z } from 'zod'
import { cidr, ifName, ip, type Cidr, type IfName, type Ip } from '../inventory/values.ts'
import { otherWords, readEntries, textOf, type Entry, entriesOf, entryOf, textsOf } from './json.ts'
import { diffTable, type BatchLine, type Module, type Row } from './module.ts'
import { bpfFolder, protocol, unclaimed } from './owner.ts'
import { flag, readWords, rowSchema, several, writeWords, type Grammar } from './words.ts'

const probe = 'ip -4 -j route show table main'

/** A pinned BPF program, by the name of its pin. */
const program = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'is not the name of a pinned program')

// In the order in which `ip route` prints them.
const grammar: Grammar = {
  encap: z.enum(['bpf'], 'is not bpf, the only encapsulation that overlab knows'),
  xmit: program,
  via: ip,
  dev: ifName,
  scope: z.enum(['link', 'global'], 'is neither link nor global, the scopes of a route without a next hop'),
  src: ip,
  onlink: flag,
}
const order = Object.keys(grammar)

/** Bytes that a program of overlab puts before a packet: outer IPv4 20 + UDP 8. */
const headroom = 28

export function route(r: {
  to: Cidr
  dev: IfName
  via?: Ip
  onlink?: boolean
  src?: Ip
  /** The pinned program that wraps the packets (bpf/names.ts). */
  encap?: string
}): Row {
  const words = [
    ...(r.encap ? [`encap bpf xmit ${r.encap}`] : []),
    ...(r.via ? [`via ${r.via}`] : []),
    `dev ${r.dev}`,
    ...(r.via ? [] : ['scope link']),
    ...(r.src ? [`src ${r.src}`] : []),
    ...(r.onlink ? ['onlink'] : []),
  ]
  return { key: r.to, line: words.join(' ') }
}

export const routeModule: Module = {
  table: 'routes',
  noun: 'route',
  row: rowSchema(({ key, line }, complain) => {
    const to = cidr.safeParse(key)
    if (!to.success) complain('key', to.error.issues[0]!.message)
    const words = new Map(readWords(line, grammar, (message) => complain('line', message)))
    if (!words.has('dev')) complain('line', '"dev" is missing; say through which link the packets leave')
    if (words.has('onlink') && !words.has('via')) complain('line', '"onlink" needs "via"')
    if (words.has('scope') && words.has('via')) complain('line', '"scope" is for routes without "via"')
    if (words.has('xmit') !== words.has('encap')) complain('line', '"encap bpf" and "xmit" go together')
    if (!words.has('via') && !words.has('scope')) words.set('scope', 'link')
    return writeWords(words, order)
  }),

  probe: () => probe,

  parse(output, { desired, prior, host }) {
    const table: Record<string, string> = {}
    for (const entry of readEntries(output, probe)) {
      const key = keyOf(entry)
      const own = textOf(entry, 'protocol') === String(protocol)
      const line = lineOf(entry) + (host.claim && !own ? ` ${unclaimed}` : '')
      if (own || key in desired || prior[key] === line)
        table[key] = key in table ? `${table[key]}${several}${line}` : line
    }
    return table
  },

  diff: (current, desired) => diffTable('routes', current, desired),

  render(changes) {
    const lines: BatchLine[] = []
    for (const change of changes) {
      const found = change.op === 'add' ? [] : change.from.split(several)
      // `replace` takes the place of the first; the others must go, or one of them decides after the next delete.
      const gone = change.op === 'change' ? found.slice(1) : found
      for (const line of gone) lines.push({ text: `route del ${change.key} ${deletable(line)}`, change })
      if (change.op !== 'delete')
        lines.push({ text: `route replace ${change.key} ${told(change.to)}`, change })
    }
    return [{ phase: 'switch', command: 'ip -batch -', lines }]
  },
}

/** The line as `ip route replace` wants it: the program is found by its pin. `boot` is what flanneld's routes have. */
function told(line: string): string {
  const route = withoutMark(line)
  const pinned = `encap bpf headroom ${headroom} xmit pinned ${bpfFolder}/$1`
  return `${route.replace(/^encap bpf xmit (\S+)/, pinned)} proto ${route === line ? protocol : 'boot'}`
}

function withoutMark(line: string): string {
  return line.endsWith(` ${unclaimed}`) ? line.slice(0, -unclaimed.length - 1) : line
}

/**
 * Says exactly which route goes. The kernel compares next hop, link, scope and source; a program is left out since
 * it would have to be loaded to be compared. What overlab never sets can only be on a route with its number.
 */
function deletable(line: string): string {
  let strange = false
  const words = new Map(readWords(withoutMark(line), grammar, () => (strange = true)))
  if (strange) return `proto ${protocol}`
  return writeWords(
    words,
    order.filter((word) => word !== 'encap' && word !== 'xmit'),
  )
}

/** The destination; a metric or TOS makes it another route, which overlab has only if someone used its number. */
function keyOf(entry: Entry): string {
  const to = textOf(entry, 'dst')
  const prefix = to === 'default' ? '0.0.0.0/0' : to.includes('/') ? to : `${to}/32`
  const more = ['tos', 'metric'].flatMap((field) =>
    entry[field] ? [`${field} ${textOf(entry, field)}`] : [],
  )
  return [prefix, ...more].join(' ')
}

function lineOf(entry: Entry): string {
  const words: string[] = []
  const type = textOf(entry, 'type')
  if (type !== '' && type !== 'unicast') words.push(type)
  if (entry['encap'] !== undefined) words.push(`encap ${textOf(entry, 'encap')}`)
  // A program that came from a pin is shown as `NAME:[*fsobj]`.
  if (entry['xmit'] !== undefined) words.push(`xmit ${textOf(entry, 'xmit').replace(/:\[\*fsobj\]$/, '')}`)
  words.push(...hop(entry))
  // A next hop's is global. Without one `ip route` sets link, and flanneld, for its TUN device, global: that one `ip` leaves out.
  const straight = entry['dev'] !== undefined && entry['gateway'] === undefined && entry['via'] === undefined
  const scope = textOf(entry, 'scope') || 'global'
  if (scope !== 'global' || straight) words.push(`scope ${scope}`)
  if (entry['prefsrc'] !== undefined) words.push(`src ${textOf(entry, 'prefsrc')}`)
  words.push(...flagsOf(entry))
  for (const metrics of entriesOf(entry, 'metrics')) words.push(...otherWords(metrics, new Set()))
  for (const next of entriesOf(entry, 'nexthops'))
    words.push('nexthop', ...hop(next), `weight ${textOf(next, 'weight')}`, ...flagsOf(next))
  words.push(...otherWords(entry, known))
  return words.join(' ')
}

function hop(entry: Entry): string[] {
  const words: string[] = []
  if (entry['gateway'] !== undefined) words.push(`via ${textOf(entry, 'gateway')}`)
  const via = entryOf(entry, 'via')
  if (via !== undefined) words.push(`via ${textOf(via, 'family')} ${textOf(via, 'host')}`)
  if (entry['dev'] !== undefined) words.push(`dev ${textOf(entry, 'dev')}`)
  return words
}

/** `linkdown`, `dead` and the like are the link's or the hardware's present state; nobody sets them. */
function flagsOf(entry: Entry): string[] {
  return textsOf(entry, 'flags').filter((word) => !passing.has(word))
}

const passing = new Set([
  'linkdown',
  'dead',
  'offload',
  'trap',
  'rt_offload',
  'rt_trap',
  'offload_failed',
  'rt_offload_failed',
])
const known = new Set([
  ...['dst', 'type', 'protocol', 'table', 'encap', 'xmit', 'gateway', 'via', 'dev', 'scope', 'prefsrc'],
  ...['flags', 'metrics', 'nexthops', 'tos', 'metric'],
])
