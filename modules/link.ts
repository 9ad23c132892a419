/**
 * Links: VXLAN devices, IPIP devices, bridges and veth pairs. `ip -d link`'s own words, in one order, and only those that differ
 * from what flannel leaves: TTL auto, ageing 300, UDP checksums, transmit queue 0 for a VXLAN device.
 *
 * MTU, MAC, master, learning and up are changed in place. A VXLAN's id, port, local address and device and a link's
 * kind cannot be: such a change deletes the link and adds it again in one batch, with all that was on it (apply.ts
 * puts that back). For that moment what goes through the link is cut.
 *
 * A link that has a wanted name but not overlab's alias (left by a killed flanneld, made by a CNI plugin) is taken
 * over: nothing is done where it is already as wanted, and it gets the alias with the first change, or when claimed.
 */
import { z } from 'zod'
import { ifName, ip, mac, type IfName, type Ip, type Mac } from '../inventory/values.ts'
import { otherWords, readEntries, textOf, type Entry, entryOf, textsOf } from './json.ts'
import { diffTable, type BatchLine, type Change, type Module, type Row } from './module.ts'
import { alias, unclaimed } from './owner.ts'
import { flag, readWords, rowSchema, wholeNumber, writeWords, type Grammar } from './words.ts'

/** Links and their addresses in one answer, for all modules that need either. */
export const linksProbe = 'ip -j -d addr show'

// 68: the least MTU of IPv4. 65535: its longest packet.
const common: Grammar = { mtu: wholeNumber(68, 65535), address: mac, master: ifName }
const kinds: Readonly<Record<string, Grammar>> = {
  vxlan: {
    id: wholeNumber(0, 2 ** 24 - 1),
    dev: ifName,
    local: ip,
    dstport: wholeNumber(1, 65535),
    learning: flag,
    nolearning: flag,
  },
  // Of any peer: which one decides the route's next hop. FOU is the only form that overlab makes.
  ipip: {
    local: ip,
    dev: ifName,
    ttl: wholeNumber(1, 255),
    encap: z.enum(['fou'], 'is not fou, the only encapsulation of an ipip link that overlab knows'),
    'encap-sport': wholeNumber(1, 65535),
    'encap-dport': wholeNumber(1, 65535),
  },
  bridge: {},
  veth: { peer: ifName },
}
const needed: Readonly<Record<string, readonly string[]>> = {
  vxlan: ['id', 'dev', 'local', 'dstport', 'mtu', 'address'],
  ipip: ['local', 'dev', 'ttl', 'encap', 'encap-sport', 'encap-dport', 'mtu'],
  bridge: ['mtu', 'address'],
  veth: ['peer', 'mtu', 'address'],
}

/** What can be changed while the link lives; the words that take a value, and those that stand alone. */
const changeable = new Set(['mtu', 'address', 'master', 'txqueuelen', 'stp_state', 'vlan_filtering'])
const changeableFlags = new Set(['learning', 'nolearning', 'down', unclaimed])

export function vxlanLink(link: {
  name: IfName
  id: number
  nic: IfName
  local: Ip
  port: number
  mtu: number
  mac: Mac
  learning?: boolean
}): Row {
  const learning = link.learning ? 'learning' : 'nolearning'
  return {
    key: link.name,
    line: `vxlan id ${link.id} dev ${link.nic} local ${link.local} dstport ${link.port} ${learning} mtu ${link.mtu} address ${link.mac}`,
  }
}

/** IPv4 packets in UDP datagrams from and to one port. It has no MAC. */
export function fouLink(link: {
  name: IfName
  nic: IfName
  local: Ip
  port: number
  ttl: number
  mtu: number
}): Row {
  return {
    key: link.name,
    line: `ipip local ${link.local} dev ${link.nic} ttl ${link.ttl} encap fou encap-sport ${link.port} encap-dport ${link.port} mtu ${link.mtu}`,
  }
}

/** The MAC is set, so that the bridge does not take over its ports' and change when a pod comes or goes. */
export function bridgeLink(link: { name: IfName; mtu: number; mac: Mac }): Row {
  return { key: link.name, line: `bridge mtu ${link.mtu} address ${link.mac}` }
}

/** A pair whose both ends are in the host's own namespace; the peer's settings are its maker's. */
export function vethLink(link: { name: IfName; peer: IfName; mtu: number; mac: Mac; master?: IfName }): Row {
  const master = link.master ? ` master ${link.master}` : ''
  return { key: link.name, line: `veth peer ${link.peer} mtu ${link.mtu} address ${link.mac}${master}` }
}

export const linkModule: Module = {
  table: 'links',
  noun: 'link',
  row: rowSchema(({ key, line }, complain) => {
    if (!ifName.safeParse(key).success)
      complain('key', 'is not a link name: 1 to 15 letters, digits, dots, dashes or underscores')
    const [kind = '', ...rest] = line.split(' ').filter((word) => word !== '')
    const own = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
    if (!own) {
      complain('line', `unknown kind of link; known are ${Object.keys(kinds).join(', ')}`)
      return ''
    }
    const words = readWords(rest.join(' '), { ...own, ...common }, (message) => complain('line', message))
    for (const word of needed[kind] ?? []) if (!words.has(word)) complain('line', `"${word}" is missing`)
    if (kind === 'ipip' && words.has('address')) complain('line', '"address" is not for a link without MACs')
    if (kind === 'vxlan' && words.has('learning') === words.has('nolearning'))
      complain('line', 'needs one of "learning" and "nolearning"')
    return [kind, writeWords(words, [...Object.keys(own), ...Object.keys(common)])].join(' ')
  }),

  probe: () => linksProbe,

  parse(output, { desired, prior, host }) {
    const table: Record<string, string> = {}
    for (const entry of readEntries(output, linksProbe)) {
      const key = textOf(entry, 'ifname')
      const line = lineOf(entry) + (host.claim && entry['ifalias'] !== alias ? ` ${unclaimed}` : '')
      if (entry['ifalias'] === alias || key in desired || prior[key] === line) table[key] = line
    }
    return table
  },

  diff: (current, desired) => diffTable('links', current, desired),

  render(changes) {
    const prepare: BatchLine[] = []
    const sweep: BatchLine[] = []
    for (const change of changes) {
      const lines = (texts: readonly string[]): BatchLine[] => texts.map((text) => ({ text, change }))
      if (change.op === 'delete') sweep.push(...lines([`link delete ${change.key}`]))
      else if (change.op === 'add') prepare.push(...lines(addition(change.key, change.to)))
      else if (recreates(change))
        prepare.push(...lines([`link delete ${change.key}`, ...addition(change.key, change.to)]))
      else prepare.push(...lines(alteration(change.key, change.from, change.to)))
    }
    return [
      { phase: 'prepare', command: 'ip -batch -', lines: prepare },
      { phase: 'sweep', command: 'ip -batch -', lines: sweep },
    ]
  },
}

/** Whether a change of a link deletes it first, and so takes along everything that is on it. */
export function recreates(change: Change): boolean {
  return change.op === 'change' && fixedPart(change.from) !== fixedPart(change.to)
}

/** Whether a change of a link gives it another MAC in place; the kernel then forgets its neighbours, permanent ones too. */
export function readdresses(change: Change): boolean {
  return change.op === 'change' && valueOf(change.from, 'address') !== valueOf(change.to, 'address')
}

function addition(name: string, line: string): string[] {
  const [kind, ...rest] = line.split(' ')
  const own = Object.keys(kinds[kind!]!)
  const value = (word: string): string => valueOf(line, word)!
  const settings = ['mtu', 'address']
    .filter((word) => valueOf(line, word))
    .map((word) => `${word} ${value(word)}`)
  const type = {
    vxlan: `txqueuelen 0 type vxlan ${rest.slice(0, rest.indexOf('mtu')).join(' ')}`,
    ipip: `type ipip remote any ${rest.slice(0, rest.indexOf('mtu')).join(' ')}`,
    bridge: 'type bridge',
    veth: `type veth peer name ${valueOf(line, 'peer')}`,
  }[kind!]
  if (type === undefined || own === undefined) throw new Error(`link ${name}: unknown kind ${kind}`)
  const master = valueOf(line, 'master')
  // `alias` in `link add` is accepted and ignored by the kernel.
  return [
    `link add ${name} ${settings.join(' ')} ${type}`,
    `link set ${name} alias ${alias}${master ? ` master ${master}` : ''} up`,
  ]
}

/** Sets what differs and nothing else: setting the MAC that a link has already drops its neighbours too. */
function alteration(name: string, from: string, to: string): string[] {
  const settings = [`alias ${alias}`]
  for (const word of ['mtu', 'address'])
    if (valueOf(from, word) !== valueOf(to, word)) settings.push(`${word} ${valueOf(to, word)}`)
  if (valueOf(from, 'txqueuelen') !== undefined) settings.push(`txqueuelen ${usualQueue(to.split(' ')[0]!)}`)
  const master = valueOf(to, 'master')
  if (valueOf(from, 'master') !== master) settings.push(master ? `master ${master}` : 'nomaster')
  if (from.split(' ').includes('down')) settings.push('up')
  const lines = [`link set ${name} ${settings.join(' ')}`]
  const learning = (line: string): string | undefined => line.match(/\b(no)?learning\b/)?.[0]
  if (learning(from) !== learning(to)) lines.push(`link set ${name} type vxlan ${learning(to)}`)
  for (const word of ['stp_state', 'vlan_filtering'])
    if (valueOf(from, word) !== undefined) lines.push(`link set ${name} type bridge ${word} 0`)
  return lines
}

function fixedPart(line: string): string {
  const kept: string[] = []
  const words = line.split(' ')
  for (let at = 0; at < words.length; at++) {
    if (changeable.has(words[at]!)) at++
    else if (!changeableFlags.has(words[at]!)) kept.push(words[at]!)
  }
  return kept.join(' ')
}

function valueOf(line: string, word: string): string | undefined {
  const words = line.split(' ')
  const at = words.indexOf(word, 1)
  return at < 0 ? undefined : words[at + 1]
}

/** What a new link of this kind has; flannel makes its VXLAN devices without a queue. */
function usualQueue(kind: string): number {
  return kind === 'vxlan' ? 0 : 1000
}

/** What `ip -d link` says of a VXLAN device that nobody has tuned. */
const vxlanDefaults: Entry = {
  port_range: { low: 0, high: 0 },
  ttl: 0,
  df: 'unset',
  ageing: 300,
  udp_csum: true,
  udp_zero_csum6_tx: false,
  udp_zero_csum6_rx: false,
  localbypass: true,
}
// Which header bits must be 0 follows from the other settings; newer kernels and tools say it for every device.
const vxlanKnown = new Set(['id', 'link', 'local', 'port', 'learning', 'reserved_bits'])

const ipipKnown = new Set([
  ...['proto', 'remote', 'local', 'link', 'ttl', 'pmtudisc'],
  ...['encap', 'encap-type', 'encap-sport', 'encap-dport'],
])

function lineOf(entry: Entry): string {
  const info = entryOf(entry, 'linkinfo') ?? {}
  const data = entryOf(info, 'info_data') ?? {}
  const kind = textOf(info, 'info_kind') || textOf(entry, 'link_type')
  const words = [kind, ...(kindWords[kind]?.(entry, data) ?? [])]
  words.push(`mtu ${textOf(entry, 'mtu')}`)
  // What `ip` calls so of an IPIP link is its local address again.
  if (kind !== 'ipip') words.push(`address ${textOf(entry, 'address')}`)
  if (entry['master'] !== undefined) words.push(`master ${textOf(entry, 'master')}`)
  const queue = Number(entry['txqlen'] ?? 0)
  if (queue !== usualQueue(kind)) words.push(`txqueuelen ${queue}`)
  if (!textsOf(entry, 'flags').includes('UP')) words.push('down')
  return words.join(' ')
}

const kindWords: Readonly<Record<string, (entry: Entry, data: Entry) => string[]>> = {
  vxlan(_, data) {
    const words = [`id ${textOf(data, 'id')}`]
    if (data['link'] !== undefined) words.push(`dev ${textOf(data, 'link')}`)
    if (data['local'] !== undefined) words.push(`local ${textOf(data, 'local')}`)
    words.push(`dstport ${textOf(data, 'port')}`, data['learning'] ? 'learning' : 'nolearning')
    const tuned = Object.fromEntries(
      Object.entries(data).filter(
        ([field, value]) => JSON.stringify(value) !== JSON.stringify(vxlanDefaults[field]),
      ),
    )
    // A default that was switched off (`udp_csum: false`) says something too.
    for (const [field, value] of Object.entries(tuned))
      if (vxlanDefaults[field] === true && value === false) words.push(`no${field}`)
    return [...words, ...otherWords(tuned, vxlanKnown)]
  },
  ipip(_, data) {
    const encap = entryOf(data, 'encap') ?? {}
    const found: Entry = {
      ...data,
      ...Object.fromEntries(Object.entries(encap).map(([field, value]) => [`encap-${field}`, value])),
    }
    const words = [
      ...(data['remote'] === 'any' ? [] : [`remote ${textOf(data, 'remote')}`]),
      `local ${textOf(data, 'local')}`,
      ...(data['link'] === undefined ? [] : [`dev ${textOf(data, 'link')}`]),
      `ttl ${textOf(data, 'ttl')}`,
      ...(encap['type'] === undefined ? [] : [`encap ${textOf(encap, 'type')}`]),
      ...['encap-sport', 'encap-dport'].flatMap((field) =>
        found[field] === undefined ? [] : [`${field} ${textOf(found, field)}`],
      ),
    ]
    if (data['pmtudisc'] !== true) words.push('nopmtudisc')
    return [...words, ...otherWords(found, ipipKnown)]
  },
  // A bridge has dozens of counters and defaults that differ from kernel to kernel; these two change how it forwards.
  bridge: (_, data) =>
    otherWords({ stp_state: data['stp_state'], vlan_filtering: data['vlan_filtering'] }, new Set()),
  veth: (entry) => [
    `peer ${entry['link_netnsid'] === undefined && entry['link'] !== undefined ? textOf(entry, 'link') : '(elsewhere)'}`,
  ],
}
