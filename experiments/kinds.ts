/**
 * What a host's kernel holds, kind by kind: the command that lists it, and who put each entry there. Pure.
 *
 * For routes, neighbours, FDB, iptables and links everything is told, overlab's and others'. Of the rest there is no
 * command that lists all; there it is overlab's own, as its modules find it.
 */
import { visible } from '../inventory/harmless.ts'
import { entriesOf, entryOf, readEntries, textsOf, type Entry } from '../modules/json.ts'
import { alias, protocol } from '../modules/owner.ts'
import { podAlias } from '../modules/pod.ts'
import type { HostState, TableName } from '../modules/state.ts'

export const kinds = {
  routes: 'The main routing table',
  neighbours: "The neighbour tables (ARP), the kernel's own entries too",
  fdb: 'The forwarding databases of bridges and VXLAN devices',
  iptables: 'All rules, and chains that do not accept; nft and legacy',
  links: 'Network devices of the host',
  addresses: "overlab's addresses",
  pods: "overlab's pods",
  sysctls: 'The sysctls that overlab sets',
  fou: "UDP ports that overlab's datapath takes IPv4 packets from (udp by FOU)",
  filters: "overlab's tc filters (udp by BPF)",
  impairments: 'Rate, delay, jitter and loss of links, where the inventory has some',
  boot: 'What the host restores its data plane with at boot (VMs and hosts with systemd)',
  peers: "The peers of overlab's datapath (udp by BPF): inner subnet, outer address",
} as const
export type Kind = keyof typeof kinds

/** The kinds whose every entry can be listed. */
export type WholeKind = 'routes' | 'neighbours' | 'fdb' | 'iptables' | 'links'
export type OwnKind = Exclude<Kind, WholeKind> & TableName

export interface Holding {
  /** The entry as the kernel's own tool prints it. */
  readonly entry: string
  /** `overlab`, `kernel` (made or learnt by itself), or who else that can be told. */
  readonly by: string
  /** The tool's own JSON; of iptables the variant, the table and the rule. */
  readonly detail: Entry
}

/** What to run for each kind. */
export const commands: Readonly<Record<WholeKind, string>> = {
  routes: 'ip -j -d route show table main',
  neighbours: 'ip -j neigh show',
  // Which links are overlab's decides whose FDB entries are.
  fdb: 'bridge -j fdb show && echo && ip -j link show',
  iptables:
    'for v in nft legacy; do if command -v iptables-$v-save >/dev/null; then echo "variant $v"; iptables-$v-save 2>/dev/null; fi; done',
  links: 'ip -j -d link show',
}

const parsers: Readonly<
  Record<WholeKind, (output: string, planned: HostState, lent: readonly string[]) => Holding[]>
> = {
  routes: (output) => readEntries(output, commands.routes).map(route),
  // The kernel lists them by hash; a person looks for a device.
  neighbours: (output) => sorted(readEntries(output, commands.neighbours).map(neighbour), 'dev'),
  fdb: (output, _, lent) => sorted(fdbEntries(output, lent), 'ifname'),
  iptables: rules,
  links: (output) => readEntries(output, commands.links).map(link),
}

export function isWhole(kind: Kind): kind is WholeKind {
  return Object.hasOwn(commands, kind)
}

/**
 * What a kind's command printed. Some entries carry no mark: overlab's iptables rules are those in `planned`, what it
 * puts there itself; FDB entries are of who fills their device, which is flanneld for those `lent`.
 * @throws Error where that is no JSON, or not what the tool prints
 */
export function parseHoldings(
  kind: WholeKind,
  output: string,
  planned: HostState,
  lent: readonly string[] = [],
): Holding[] {
  return parsers[kind](output, planned, lent)
}

/** Device by device, overlab's entries first, then by address. */
function sorted(holdings: readonly Holding[], device: string): Holding[] {
  const rank = ({ by }: Holding) => (by === 'overlab' ? 0 : 1)
  return holdings.toSorted(
    (a, b) =>
      word(a.detail[device]).localeCompare(word(b.detail[device])) ||
      rank(a) - rank(b) ||
      a.entry.localeCompare(b.entry, 'en', { numeric: true }),
  )
}

function route(of: Entry): Holding {
  const via = of['gateway'] === undefined ? '' : `via ${word(of['gateway'])}`
  const encap =
    of['encap'] === undefined
      ? ''
      : `encap ${word(of['encap'])} xmit ${word(of['xmit']).replace(/:\[.*/, '')}`
  const src = of['prefsrc'] === undefined ? '' : `src ${word(of['prefsrc'])}`
  const metric = of['metric'] === undefined ? '' : `metric ${word(of['metric'])}`
  const type = of['type'] === 'unicast' ? '' : word(of['type'])
  const hops = entriesOf(of, 'nexthops').map((hop) =>
    words('nexthop', hop['gateway'] === undefined ? '' : `via ${word(hop['gateway'])}`, device(hop)),
  )
  return {
    entry: words(type, word(of['dst']), encap, via, device(of), src, metric, ...flags(of), ...hops),
    by: routeOwner(word(of['protocol']), word(of['dst'])),
    detail: of,
  }
}

function routeOwner(proto: string, destination: string): string {
  // flanneld makes no default route; a machine does when it boots.
  if (proto === 'boot' && destination === 'default') return 'the machine or a person (proto boot)'
  return routeOwners[proto] ?? `protocol ${proto}`
}

function device(of: Entry): string {
  return of['dev'] === undefined ? '' : `dev ${word(of['dev'])}`
}

/** By route protocol. flanneld and `ip route add` both leave `boot`. */
const routeOwners: Readonly<Record<string, string>> = {
  [protocol]: 'overlab',
  kernel: 'kernel',
  boot: 'flanneld or a person (proto boot)',
  static: 'an administrator (proto static)',
  dhcp: 'DHCP',
  ra: 'router advertisement',
}

function neighbour(of: Entry): Holding {
  const state = textsOf(of, 'state')
  const owner = word(of['protocol'])
  return {
    entry: words(
      word(of['dst']),
      `dev ${word(of['dev'])}`,
      of['lladdr'] === undefined ? '' : `lladdr ${word(of['lladdr'])}`,
      state.join(' '),
    ),
    by:
      owner === String(protocol)
        ? 'overlab'
        : state.includes('PERMANENT')
          ? 'flanneld or a person'
          : 'kernel',
    detail: of,
  }
}

function fdbEntries(output: string, lent: readonly string[]): Holding[] {
  const [entries = '', links = ''] = output.split(/\n\n/)
  const ours = new Set(
    readEntries(links, 'ip -j link show')
      .filter((one) => word(one['ifalias']) === alias)
      .map((one) => word(one['ifname']))
      .filter((name) => !lent.includes(name)),
  )
  return readEntries(entries, 'bridge -j fdb show').map((of) => ({
    entry: words(
      word(of['mac']),
      `dev ${word(of['ifname'])}`,
      of['dst'] === undefined ? '' : `dst ${word(of['dst'])}`,
      of['master'] === undefined ? '' : `master ${word(of['master'])}`,
      ...flags(of),
      word(of['state']),
    ),
    by:
      of['dst'] === undefined || of['state'] !== 'permanent'
        ? 'kernel'
        : ours.has(word(of['ifname']))
          ? 'overlab'
          : 'flanneld or a person',
    detail: of,
  }))
}

function link(of: Entry): Holding {
  const info = entryOf(of, 'linkinfo') ?? {}
  const data = entryOf(info, 'info_data') ?? {}
  const kind = word(info['info_kind'])
  const vxlan =
    kind === 'vxlan'
      ? `id ${word(data['id'])} ${data['local'] === undefined ? '' : `local ${word(data['local'])} `}dev ${word(data['link'])} dstport ${word(data['port'])}${data['learning'] === false ? ' nolearning' : ''}`
      : ''
  const tag = word(of['ifalias'])
  const pod = tag.startsWith(`${podAlias} `) ? tag.slice(alias.length + 1) : ''
  return {
    entry: words(
      word(of['ifname']),
      kind || word(of['link_type']),
      vxlan,
      `mtu ${word(of['mtu'])}`,
      word(of['address']),
      of['master'] === undefined ? '' : `master ${word(of['master'])}`,
      word(of['operstate']),
      pod,
    ),
    by: tag === alias || tag.startsWith(`${alias} `) ? 'overlab' : linkOwner(word(of['ifname'])),
    detail: of,
  }
}

function linkOwner(name: string): string {
  // flannel.VNI and flannel0; without overlab's alias they are not its own.
  return ownLinks[name] ?? (/^flannel[.0-9]/.test(name) ? 'flanneld or a person' : 'others')
}

/** Links that are there before anybody makes one. */
const ownLinks: Readonly<Record<string, string>> = { lo: 'kernel', eth0: 'the machine' }

function rules(output: string, planned: HostState): Holding[] {
  const ours = plannedRules(planned)
  let variant = ''
  let table = ''
  const found = output.split('\n').flatMap((raw) => {
    // A comment of a rule may hold any byte.
    const line = visible(raw)
    if (line.startsWith('variant ')) variant = line.slice('variant '.length)
    else if (line.startsWith('*')) table = line.slice(1)
    const policy = /^:(\S+) (?!ACCEPT |- )(\S+) /.exec(line)
    const rule = policy ? `-P ${policy[1]} ${policy[2]}` : line
    return policy || line.startsWith('-A ') ? [{ variant, table, rule }] : []
  })
  // Two variants on one host are a trap; which one a rule is in is told only then.
  const both = new Set(found.map((one) => one.variant)).size > 1
  return found.map((detail) => ({
    entry: words(both ? detail.variant : '', detail.table, detail.rule),
    by: ours.has(`${detail.table} ${detail.rule}`)
      ? 'overlab'
      : /^-A FLANNEL-| --comment "?flanneld/.test(detail.rule)
        ? 'flanneld or a person'
        : 'others',
    detail,
  }))
}

/** `nat -A FLANNEL-POSTRTG ...`, as iptables-save prints them; see HostState for the keys. */
function plannedRules({ iptables = {} }: HostState): Set<string> {
  return new Set(
    Object.entries(iptables).map(([key, line]) => {
      const [table, chain, ...place] = key.split(' ')
      const comment = /^\d+$/.test(place.join(' ')) ? '' : `-m comment --comment "${place.join(' ')}" `
      return `${table} -A ${chain} ${comment}${line}`
    }),
  )
}

function flags(of: Entry): readonly string[] {
  return textsOf(of, 'flags')
}

function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function words(...parts: readonly string[]): string {
  return parts.filter(Boolean).join(' ')
}
