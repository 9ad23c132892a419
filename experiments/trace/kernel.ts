/** What one host's kernel holds, looked up as the kernel would. Pure. */
import { contains, toBlock, toNumber } from '../../inventory/ipv4.ts'
import type { Cidr, Ip } from '../../inventory/values.ts'
import { encapProgram } from '../../modules/bpf/names.ts'
import { textOf, entryOf, textsOf } from '../../modules/json.ts'
import { pushedOf, type PlannedHost } from '../../overlay/plan.ts'
import { bridge } from '../../overlay/pods.ts'
import { parseHoldings, type Holding } from '../kinds.ts'
import type { Rule } from './rules.ts'
import type { Found, HostView, Sighting } from './view.ts'

export function innerSource(seen: Sighting | undefined): string | undefined {
  return seen?.layers.findLast(({ protocol }) => protocol === 'ipv4')?.fields['source'] as string | undefined
}

export interface Way {
  readonly kind: 'vxlan' | 'bpf' | 'fou' | 'tun' | 'plain' | 'bridge' | 'local'
  readonly dev: string
  readonly via?: string
}

export function wayOf(seen: HostView, { entry, result }: Found): Way {
  const dev = devOf(entry)
  const gateway = textOf(entry?.detail ?? {}, 'gateway')
  const via = gateway === '' ? {} : { via: gateway }
  if (entry?.detail['type'] === 'local' || result?.['type'] === 'local') return { kind: 'local', dev }
  if (dev === bridge) return { kind: 'bridge', dev }
  if (entry?.detail['encap'] === 'bpf') return { kind: 'bpf', dev, ...via }
  return { kind: tunnels[kindOf(linkNamed(seen, dev))] ?? 'plain', dev, ...via }
}

/** What a device of this kind does with a packet that is routed into it. */
const tunnels: Readonly<Record<string, Way['kind']>> = { vxlan: 'vxlan', tun: 'tun', ipip: 'fou' }

/** `vxlan`, `tun`, `ipip`; '' for hardware and where there is none. */
export function kindOf(link: Holding | undefined): string {
  return textOf(entryOf(link?.detail ?? {}, 'linkinfo') ?? {}, 'info_kind')
}

export function decisionOf({ kind, dev, via }: Way): string {
  switch (kind) {
    case 'vxlan':
      return `to ${via ?? 'the destination'}, the VTEP behind ${dev}`
    case 'bpf':
      return `by the program ${encapProgram} of the route, then by ${dev}`
    case 'fou':
      return `to the host ${via ?? '?'}, wrapped by ${dev}`
    case 'tun':
      return `to the process that holds ${dev}`
    case 'plain':
      return `${via ? `to ${via} ` : 'straight '}by ${dev}`
    case 'bridge':
      return `on this host, by ${dev}`
    case 'local':
      return 'the host itself'
  }
}

export function instead({ entry, error }: Found): string {
  return entry ? `the packet takes "${entry.entry}" instead` : `the kernel says ${error ?? 'nothing'}`
}

export function neighbour(all: readonly Holding[], address: string, dev: string): Holding | undefined {
  return all.find(({ detail }) => detail['dst'] === address && detail['dev'] === dev)
}

/** Undefined where the entry is of no use: asked for and not answered. */
export function macOf(entry: Holding | undefined): string | undefined {
  const states = textsOf(entry?.detail ?? {}, 'state')
  if (states.includes('FAILED') || states.includes('INCOMPLETE')) return undefined
  const mac = entry?.detail['lladdr']
  return typeof mac === 'string' ? mac : undefined
}

export function isPermanent({ detail }: Holding): boolean {
  return textsOf(detail, 'state').includes('PERMANENT')
}

export function bridgeEntry(seen: HostView, mac: string): Holding | undefined {
  return seen.fdb.find(({ detail }) => detail['mac'] === mac && detail['master'] === bridge)
}

export function linkNamed(seen: HostView, name: string): Holding | undefined {
  return seen.links.find(({ detail }) => detail['ifname'] === name)
}

export function isUp({ detail }: Holding): boolean {
  return textsOf(detail, 'flags').includes('UP')
}

export function dataOf(link: Holding, field: string): string {
  const data = entryOf(entryOf(link.detail, 'linkinfo') ?? {}, 'info_data')
  return textOf(data ?? {}, field) || '?'
}

export function devOf(entry: Holding | undefined): string {
  return textOf(entry?.detail ?? {}, 'dev')
}

export function prefixOf({ detail }: Holding): string {
  const to = String(detail['dst'])
  return to === 'default' ? '0.0.0.0/0' : to.includes('/') ? to : `${to}/32`
}

export function plannedRoute({ state }: PlannedHost, address: string): string | undefined {
  return longest(Object.entries(state.routes ?? {}), address)?.[0]
}

export function plannedPeer({ state }: PlannedHost, address: string): string | undefined {
  return longest(Object.entries(state.peers ?? {}), address)?.[0]
}

/** The entry with the longest prefix that holds the address, as the kernel chooses. */
export function longest(
  entries: readonly (readonly [string, string])[],
  address: string,
): readonly [string, string] | undefined {
  return entries
    .filter(([prefix]) => contains(toBlock(prefix as Cidr), toNumber(address as Ip)))
    .toSorted(([a], [b]) => toBlock(b as Cidr).length - toBlock(a as Cidr).length)[0]
}

export function counted(counts: HostView['counts'], counter: keyof HostView['counts']): string {
  const rise = counts[counter]
  return rise === undefined ? '' : ` (its counter "${counter}" rose by ${rise})`
}

export function ruleOwner({ table, chain, rule }: Rule, host: PlannedHost): string {
  if (rule.startsWith('policy ')) return "a policy; ACCEPT is the kernel's own"
  return parseHoldings('iptables', `*${table}\n-A ${chain} ${rule}\n`, pushedOf(host))[0]?.by ?? 'others'
}
