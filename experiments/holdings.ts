/** Everything a host's kernel holds of one kind, overlab's and others', with who put each entry there. */
import { alias, protocol } from '../modules/owner.ts'
import { HostError } from '../remote/errors.ts'
import type { Pool } from '../remote/pool.ts'
import type { Target } from '../remote/target.ts'

export const kinds = ['routes', 'neighbours', 'fdb', 'iptables', 'links'] as const
export type Kind = (typeof kinds)[number]

export interface Holding {
  readonly host: string
  /** The entry as the kernel's own tool prints it. */
  readonly entry: string
  /** `overlab`, `kernel` (made or learnt by itself), or who else that can be told. */
  readonly by: string
  /** The tool's own JSON; of iptables the table. */
  readonly detail: Readonly<Record<string, unknown>>
}

type Json = Record<string, unknown>

/** What to run for each kind. */
const commands: Readonly<Record<Kind, string>> = {
  routes: 'ip -j -d route show table main',
  neighbours: 'ip -j neigh show',
  // Which links are overlab's decides whose FDB entries are.
  fdb: 'bridge -j fdb show; echo; ip -j link show',
  iptables: 'iptables-save',
  links: 'ip -j -d link show',
}

const parsers: Readonly<Record<Kind, (output: string) => Omit<Holding, 'host'>[]>> = {
  routes: (output) => (JSON.parse(output) as Json[]).map(route),
  neighbours: (output) => (JSON.parse(output) as Json[]).map(neighbour),
  fdb: fdbEntries,
  iptables: rules,
  links: (output) => (JSON.parse(output) as Json[]).map(link),
}

/** The entries of one host; one round trip. @throws HostError */
export async function readHoldings(pool: Pool, target: Target, kind: Kind): Promise<Holding[]> {
  const session = await pool.session(target)
  const step = `show ${kind}`
  const { stdout, stderr, exitCode } = await session.run(commands[kind], { step })
  if (exitCode !== 0)
    throw new HostError({ host: target.name, step, why: 'the command failed', command: commands[kind], exitCode, stderr })
  return parseHoldings(kind, stdout, target.name)
}

/** Pure: what a kind's command printed. */
export function parseHoldings(kind: Kind, output: string, host: string): Holding[] {
  return parsers[kind](output).map((holding) => ({ host, ...holding }))
}

function route(of: Json): Omit<Holding, 'host'> {
  const via = of['gateway'] === undefined ? '' : `via ${word(of['gateway'])}`
  const encap = of['encap'] === undefined ? '' : `encap ${word(of['encap'])} xmit ${word(of['xmit']).replace(/:\[.*/, '')}`
  const src = of['prefsrc'] === undefined ? '' : `src ${word(of['prefsrc'])}`
  const metric = of['metric'] === undefined ? '' : `metric ${word(of['metric'])}`
  const proto = word(of['protocol'])
  return {
    entry: words(word(of['dst']), encap, via, `dev ${word(of['dev'])}`, src, metric, ...flags(of)),
    by: routeOwners[proto] ?? `protocol ${proto}`,
    detail: of,
  }
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

function neighbour(of: Json): Omit<Holding, 'host'> {
  const state = (of['state'] as string[] | undefined) ?? []
  const owner = word(of['protocol'])
  return {
    entry: words(
      word(of['dst']),
      `dev ${word(of['dev'])}`,
      of['lladdr'] === undefined ? '' : `lladdr ${word(of['lladdr'])}`,
      state.join(' '),
    ),
    by: owner === String(protocol) ? 'overlab' : state.includes('PERMANENT') ? 'flanneld or a person' : 'kernel',
    detail: of,
  }
}

function fdbEntries(output: string): Omit<Holding, 'host'>[] {
  const [entries = '[]', links = '[]'] = output.split(/\n(?=\[)/)
  const ours = new Set(
    (JSON.parse(links) as Json[]).filter((one) => word(one['ifalias']) === alias).map((one) => word(one['ifname'])),
  )
  return (JSON.parse(entries) as Json[]).map((of) => ({
    entry: words(
      word(of['mac']),
      `dev ${word(of['ifname'])}`,
      of['dst'] === undefined ? '' : `dst ${word(of['dst'])}`,
      of['master'] === undefined ? '' : `master ${word(of['master'])}`,
      ...flags(of),
      word(of['state']),
    ),
    by: of['dst'] === undefined ? 'kernel' : ours.has(word(of['ifname'])) ? 'overlab' : 'flanneld or a person',
    detail: of,
  }))
}

function link(of: Json): Omit<Holding, 'host'> {
  const info = (of['linkinfo'] ?? {}) as Json
  const data = (info['info_data'] ?? {}) as Json
  const kind = word(info['info_kind'])
  const vxlan =
    kind === 'vxlan'
      ? `id ${word(data['id'])} local ${word(data['local'])} dev ${word(data['link'])} dstport ${word(data['port'])}${data['learning'] === false ? ' nolearning' : ''}`
      : ''
  const tag = word(of['ifalias'])
  return {
    entry: words(
      word(of['ifname']),
      kind || word(of['link_type']),
      vxlan,
      `mtu ${word(of['mtu'])}`,
      word(of['address']),
      of['master'] === undefined ? '' : `master ${word(of['master'])}`,
      word(of['operstate']),
    ),
    by: tag === alias || tag.startsWith(`${alias} `) ? 'overlab' : word(of['ifname']) === 'lo' ? 'kernel' : 'the machine',
    detail: of,
  }
}

function rules(output: string): Omit<Holding, 'host'>[] {
  let table = ''
  return output.split('\n').flatMap((line) => {
    if (line.startsWith('*')) table = line.slice(1)
    if (!line.startsWith('-A ')) return []
    return [
      {
        entry: `${table} ${line}`,
        by: /^-A FLANNEL-| --comment "?flanneld/.test(line) ? 'overlab' : 'others',
        detail: { table, rule: line },
      },
    ]
  })
}

function flags(of: Json): string[] {
  return (of['flags'] as string[] | undefined) ?? []
}

function word(value: unknown): string {
  return value === undefined || value === null ? '' : String(value as string | number)
}

function words(...parts: readonly string[]): string {
  return parts.filter(Boolean).join(' ')
}
