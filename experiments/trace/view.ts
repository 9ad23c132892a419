/** One host as a trace has read it: parsed, and nothing judged yet. */
import { noRuleset, readRuleset, type Ruleset } from '../../machines/firewall/nft.ts'
import { readConfig, readCounters, readPeers, type Counter, type UdpConfig } from '../../modules/bpf/maps.ts'
import { readEntries, type Entry } from '../../modules/json.ts'
import type { Change } from '../../modules/module.ts'
import type { HostState } from '../../modules/state.ts'
import { parseHoldings, type Holding } from '../kinds.ts'
import { decode, type Layer, type TunnelPorts } from './packet.ts'
import { readPcap, type Frame } from './pcap.ts'
import { risen, type Rule } from './rules.ts'
import { lookupKey, sectionsOf, type HostScript } from './script.ts'

export interface HostView {
  readonly links: readonly Holding[]
  readonly neighbours: readonly Holding[]
  readonly fdb: readonly Holding[]
  /** Of bridges: `bridge link`. */
  readonly ports: readonly Entry[]
  /** TUN devices, and the processes that hold them: `flanneld (pid 136)`. */
  readonly tunnels: Readonly<Record<string, readonly string[]>>
  readonly peers?: readonly (readonly [string, string])[]
  readonly config?: UdpConfig
  readonly filters: readonly Entry[]
  readonly forwards: boolean
  readonly pods: Readonly<Record<string, PodView>>
  readonly lookups: Readonly<Record<string, Found>>
  readonly rules: readonly Rule[]
  /** Of nftables; empty where the tool is not there. */
  readonly ruleset: Ruleset
  /** What the udp backend's programs counted meanwhile. */
  readonly counts: Readonly<Partial<Record<Counter, number>>>
  readonly sightings: readonly Sighting[]
  /** Why a capture could not be made; none where both were. */
  readonly notCaptured?: string
  /** How the host differs from its plan. */
  readonly drift: readonly Change[]
}

export interface PodView {
  readonly links: readonly Entry[]
  readonly neighbours: readonly Holding[]
}

/** A route as the kernel chose it: the matching entry of the table, or what the kernel said instead. */
export interface Found {
  readonly entry?: Holding
  /** What comes of it: next hop and source address. */
  readonly result?: Entry
  readonly error?: string
}

/** Our packet, where a capture saw it. */
export interface Sighting {
  readonly link: string
  /** Undefined on a NIC's own capture, which does not tell. */
  readonly out?: boolean
  readonly message: 'request' | 'reply' | 'error'
  readonly time: number
  readonly layers: readonly Layer[]
}

/** Pure. What beginScript and readScript printed. `planned` and `lent` as in parseHoldings. Throws where an answer is no answer. */
export function parseView(
  script: HostScript,
  begun: string,
  read: string,
  pattern: string,
  planned: HostState,
  drift: readonly Change[],
  lent: readonly string[] = [],
): HostView {
  const before = sectionsOf(begun, script.id)
  const after = sectionsOf(read, script.id)
  const text = (name: string): string => after.get(name) ?? ''
  const links = parseHoldings('links', list(text('links')), planned)
  const peers = text('peers')
  const config = readConfig(list(text('config')))
  const missing = [...new Set(['any', script.nic])].flatMap((link) => {
    const said = text(`capture ${link} said`)
    return said.includes('listening on')
      ? []
      : [`${link}: ${said.split('\n').at(-1) || 'tcpdump is not there'}`]
  })
  return {
    links,
    neighbours: parseHoldings('neighbours', list(text('neighbours')), planned),
    fdb: parseHoldings('fdb', `${list(text('fdb'))}\n\n${list(text('links'))}`, planned, lent),
    ports: readEntries(list(text('ports')), 'bridge -j link'),
    tunnels: tunnels(text('tunnels')),
    ...(peers.startsWith('[') ? { peers: readPeers(peers) } : {}),
    ...(config ? { config } : {}),
    filters: readEntries(list(text('filters')), 'tc -j filter').filter(
      (entry) => entry['options'] !== undefined,
    ),
    forwards: text('forwarding') === '1',
    pods: Object.fromEntries(
      script.pods.flatMap((pod) => {
        const said = text(`pod ${pod} links`)
        if (!said.startsWith('[')) return []
        const neighbours = parseHoldings('neighbours', list(text(`pod ${pod} neighbours`)), planned)
        return [[pod, { links: readEntries(said, 'ip -j addr'), neighbours }]]
      }),
    ),
    lookups: Object.fromEntries(
      script.lookups.map((lookup) => [lookupKey(lookup), found(text(`lookup ${lookupKey(lookup)}`))]),
    ),
    rules: risen(before.get('rules') ?? '', text('rules')),
    ruleset: readRuleset(text('ruleset')) ?? noRuleset,
    counts: difference(before.get('stats') ?? '', text('stats')),
    sightings: ['any', script.nic].flatMap((link) =>
      sightings(frames(text(`capture ${link}`)), script.ports, pattern, (index) =>
        index === undefined ? script.nic : nameOf(links, index),
      ),
    ),
    ...(missing.length > 0 ? { notCaptured: missing.join('; ') } : {}),
    drift,
  }
}

/** A tool's JSON; an empty list where it printed an error instead (a device or a feature that is not there). */
function list(text: string): string {
  return text.startsWith('[') ? text.slice(0, text.lastIndexOf(']') + 1) : '[]'
}

/** Of `ip -d tuntap`: the text, since iproute2 6.1 prints JSON of it that is none. */
export function tunnels(text: string): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  let holders: string[] = []
  for (const line of text.split('\n')) {
    const name = /^(\S+): /.exec(line)?.[1]
    if (name !== undefined) found[name] = holders = []
    else
      for (const [, process, pid] of line.matchAll(/([^\s:]+)\((\d+)\)/g))
        holders.push(`${process} (pid ${pid})`)
  }
  return found
}

function found(text: string): Found {
  const lines = text.split('\n').filter((line) => line !== '')
  const [match, result] = lines.filter((line) => line.startsWith('['))
  const entry = match && parseHoldings('routes', match, {})[0]
  const error = lines.find((line) => !line.startsWith('['))
  return {
    ...(entry ? { entry } : {}),
    ...(result ? { result: readEntries(result, 'ip -j route get')[0]! } : {}),
    ...(error ? { error: error.replace(/^RTNETLINK answers: /, '') } : {}),
  }
}

function frames(base64: string): Frame[] {
  return readPcap(Buffer.from(base64, 'base64'))
}

/** Only packets with our pattern in the payload: others' pings are others'. */
function sightings(
  all: readonly Frame[],
  ports: TunnelPorts,
  pattern: string,
  linkOf: (index?: number) => string,
): Sighting[] {
  const mark = Buffer.from(pattern, 'hex')
  return all.flatMap(({ time, first, bytes, link }) => {
    if (!Buffer.from(bytes).includes(mark)) return []
    const layers = decode(bytes, first, ports)
    const type = layers.findLast(({ protocol }) => protocol === 'icmp')?.fields['type']
    const message = type === 'echo request' ? 'request' : type === 'echo reply' ? 'reply' : 'error'
    return [
      {
        link: linkOf(link?.index),
        ...(link ? { out: link.out } : {}),
        message,
        time,
        layers,
      } satisfies Sighting,
    ]
  })
}

function nameOf(links: readonly Holding[], index: number): string {
  const link = links.find(({ detail }) => detail['ifindex'] === index)
  return link ? String(link.detail['ifname']) : `link ${index}`
}

function difference(before: string, after: string): Partial<Record<Counter, number>> {
  if (!after.startsWith('[')) return {}
  const old = before.startsWith('[') ? readCounters(before) : undefined
  return Object.fromEntries(
    Object.entries(readCounters(after)).flatMap(([counter, value]) => {
      const rise = value - (old?.[counter as Counter] ?? 0)
      return rise > 0 ? [[counter, rise]] : []
    }),
  )
}
