/**
 * Reads a dump of the real flanneld (flannel-dumps/BACKEND/HOST) as rows of HostState. It shares no code with the
 * modules, so that it is a second opinion on what a row must say.
 *
 * Left out, since neither flannel nor overlab puts it there:
 * - links lo, eth0 (the machine's) and veth0 (the pod's end, see `podLink`)
 * - addresses of those, and IPv6 (fe80::/64, the underlay's fd77::/64): these labs have flannel's IPv4 only
 * - routes of the kernel (proto kernel) and the machine's default route
 * - neighbours that ARP found (not permanent) and multicast ones (NOARP)
 * - FDB entries without `dst`: the bridge's ports and multicast groups, which the kernel fills in
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend, Inventory } from '../../inventory/inventory.ts'
import type { Cidr, Ip, Mac, Name } from '../../inventory/values.ts'
import type { Table } from '../../modules/state.ts'
import { hostOf, inventoryOf } from '../support/inventory.ts'

const folder = join(import.meta.dirname, 'flannel-dumps')

export interface Dump {
  readonly links: Table
  readonly addresses: Table
  readonly neighbours: Table
  readonly fdb: Table
  readonly routes: Table
  /** The rules of iptables-save as they stand there, `-A ...`, by table and chain. */
  readonly rules: Readonly<Record<string, readonly string[]>>
  readonly subnetEnv: string
  /** The MTU of the pod's end on the bridge. */
  readonly podMtu: number
}

/** The lab that a dump was taken from: addresses, subnets and VTEP MACs as flanneld's leases in etcd have them. */
export function inventoryOfDump(name: string, backend: Backend): Inventory {
  const lines = readFileSync(join(folder, name, 'etcd.txt'), 'utf8')
    .trim()
    .split('\n')
  const hosts = lines.flatMap((line, index) => {
    const subnet = /^\/coreos.com\/network\/subnets\/(.*)-(\d+)$/.exec(line)
    if (!subnet) return []
    const lease = JSON.parse(lines[index + 1]!) as { PublicIP: Ip; BackendData?: { VtepMAC: Mac } }
    const number = Number(lease.PublicIP.split('.').at(-1))
    return [
      hostOf(number, {
        name: `h${number}` as Name,
        address: lease.PublicIP,
        subnet: `${subnet[1]}/${subnet[2]}` as Cidr,
        ...(lease.BackendData ? { vtepMac: lease.BackendData.VtepMAC } : {}),
        pods: [{ name: `h${number}-pod1` as Name, address: `${subnet[1]!.replace(/0$/, '2')}` as Ip }],
      }),
    ]
  })
  return inventoryOf({ backend, hosts: hosts.toSorted((a, b) => a.number - b.number) })
}

export function readDump(name: string, host: string): Dump {
  const json = <T>(file: string): T[] => JSON.parse(textOfDump(name, host, file)) as T[]
  const links = json<Link>('link.json')
  return {
    links: rows(links.filter(isOverlays).map((link) => [link.ifname, linkLine(link)])),
    addresses: rows(
      json<Addresses>('addr.json')
        .filter(isOverlays)
        .flatMap(({ ifname, addr_info }) =>
          addr_info
            .filter(({ family }) => family === 'inet')
            .map((at) => [
              `${at.local}/${at.prefixlen} dev ${ifname}`,
              `${at.broadcast ? `brd ${at.broadcast} ` : ''}scope ${at.scope}`,
            ]),
        ),
    ),
    neighbours: rows(
      json<Neighbour>('neigh.json')
        .filter(({ state }) => state.includes('PERMANENT'))
        .map(({ dst, dev, lladdr }) => [`${dst} dev ${dev}`, `lladdr ${lladdr}`]),
    ),
    fdb: rows(
      json<FdbEntry>('fdb.json').flatMap(({ mac, ifname, dst, flags, state }) =>
        dst === undefined
          ? []
          : [
              [
                `${mac} dev ${ifname}`,
                `dst ${dst}${flags.join() === 'self' && state === 'permanent' ? '' : ' (not self permanent)'}`,
              ],
            ],
      ),
    ),
    routes: rows(
      json<Route>('route.json')
        .filter((route) => route.table === 'main' && route.protocol !== 'kernel' && route.dst !== 'default')
        .map((route) => [route.dst, routeLine(route)]),
    ),
    rules: rulesOf(textOfDump(name, host, 'iptables-save.txt')),
    subnetEnv: textOfDump(name, host, 'subnet.env'),
    podMtu: links.find(({ ifname, master }) => ifname === 'veth0' && master === 'cni0')!.mtu,
  }
}

export function textOfDump(name: string, host: string, file: string): string {
  return readFileSync(join(folder, name, host, file), 'utf8')
}

interface Link {
  readonly ifname: string
  readonly mtu: number
  readonly address?: string
  readonly master?: string
  readonly flags: readonly string[]
  readonly txqlen?: number
  readonly linkinfo?: { readonly info_kind: string; readonly info_data: VxlanData }
}

/** Of another kind of link all fields are missing. */
interface VxlanData {
  readonly id: number
  readonly link: string
  readonly local: string
  readonly port: number
  readonly learning: boolean
  readonly [tuning: string]: unknown
}

interface Addresses {
  readonly ifname: string
  readonly addr_info: readonly {
    family: string
    local: string
    prefixlen: number
    scope: string
    broadcast?: string
  }[]
}

interface Neighbour {
  readonly dst: string
  readonly dev: string
  readonly lladdr: string
  readonly state: readonly string[]
}

interface FdbEntry {
  readonly mac: string
  readonly ifname: string
  readonly dst?: string
  readonly flags: readonly string[]
  readonly state: string
}

interface Route {
  readonly dst: string
  readonly gateway?: string
  readonly dev: string
  readonly table: string
  readonly protocol: string
  readonly scope: string
  readonly prefsrc?: string
  readonly metric?: number
  readonly flags: readonly string[]
}

function isOverlays({ ifname }: { readonly ifname: string }): boolean {
  return !['lo', 'eth0', 'veth0'].includes(ifname)
}

/** What flannel's VXLAN device has and the row does not say: the kernel's defaults, and no transmit queue. */
const freshVxlan = {
  port_range: { low: 0, high: 0 },
  ttl: 0,
  df: 'unset',
  ageing: 300,
  udp_csum: true,
  udp_zero_csum6_tx: false,
  udp_zero_csum6_rx: false,
  txqlen: 0,
}

function linkLine({ ifname, mtu, address, flags, txqlen = 0, linkinfo }: Link): string {
  const { info_kind: kind, info_data: data } = linkinfo!
  const down = flags.includes('UP') ? '' : ' (down)'
  // A bridge without a MAC of its own has its first port's, which says nothing.
  if (ifname === 'cni0' || address === undefined) return `${kind} mtu ${mtu}${down}`
  const { id, link, local, port, learning, ...rest } = data
  const tuned = { ...rest, txqlen }
  const odd = JSON.stringify(tuned) === JSON.stringify(freshVxlan) ? '' : ` (tuned: ${JSON.stringify(tuned)})`
  return (
    `${kind} id ${id} dev ${link} local ${local} dstport ${port} ${learning ? '' : 'no'}learning ` +
    `mtu ${mtu} address ${address}${down}${odd}`
  )
}

function routeLine({ gateway, dev, scope, prefsrc, metric, flags }: Route): string {
  return [
    gateway && `via ${gateway}`,
    `dev ${dev}`,
    prefsrc && `src ${prefsrc}`,
    metric && `metric ${metric}`,
    scope !== 'global' && `scope ${scope}`,
    ...flags,
  ]
    .filter(Boolean)
    .join(' ')
}

function rulesOf(save: string): Record<string, string[]> {
  let table = ''
  const lines: [string, string][] = []
  for (const line of save.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1)
    if (line.startsWith('-')) lines.push([table, line])
  }
  return byChain(lines)
}

/** Rules by `nat POSTROUTING`: between chains there is no order, within one it decides. */
export function byChain(rules: Iterable<readonly [table: string, rule: string]>): Record<string, string[]> {
  const chains: Record<string, string[]> = {}
  for (const [table, rule] of rules) (chains[`${table} ${rule.split(' ')[1]}`] ??= []).push(rule)
  return chains
}

function rows(entries: Iterable<readonly string[]>): Table {
  return Object.fromEntries(entries as Iterable<readonly [string, string]>)
}
