/** What runs where some hosts are filled by flanneld: etcd on one of them, its keys, a flanneld on each. */
import type { Inventory, Lab } from '../inventory/inventory.ts'
import type { Name } from '../inventory/values.ts'
import { alias } from '../modules/owner.ts'
import { etcdKeys, netConf } from './net-conf.ts'
import { nodeOf, type LabPlan, type PlannedHost } from './plan.ts'

/** One process on one host. */
export interface PlannedService {
  readonly host: Name
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Folders of its own: made before it starts, removed with it. */
  readonly folders: readonly string[]
  /** Shell lines that succeed once it does its work; `$log` is the file with its output. */
  readonly ready: string
  /** Shell lines that take away what it leaves in the kernel; run when it ends for good, or starts with other settings. */
  readonly cleanup: string
  /** What it reads once, at its start. */
  readonly triggers: readonly string[]
}

export interface ControlPlan {
  readonly etcd: PlannedService
  /** Where etcd listens: in the underlay only. */
  readonly endpoint: string
  readonly keys: Readonly<Record<string, string>>
  readonly flanneld: readonly PlannedService[]
}

/**
 * Undefined where every host is static. etcd runs on the first host under flanneld, in the inventory's order.
 * @param flanneld path of the program on the machines
 */
export function planControl(inventory: Inventory, plan: LabPlan, flanneld: string): ControlPlan | undefined {
  const hosts = Object.values(plan.hosts)
  const controlled = hosts.filter((host) => host.control === 'flanneld')
  const [first] = controlled
  if (!first) return undefined
  const endpoint = `http://${first.address}:2379`
  return {
    etcd: etcdOn(first, endpoint),
    endpoint,
    keys: etcdKeys(
      plan.lab,
      inventory.hosts.map((host) => nodeOf(host)),
    ),
    flanneld: controlled.map((host) => flanneldOn(host, plan.lab, hosts.length - 1, endpoint, flanneld)),
  }
}

function etcdOn({ name, address }: PlannedHost, endpoint: string): PlannedService {
  const data = '/var/lib/overlab-etcd'
  const peers = `http://${address}:2380`
  return {
    host: name,
    argv: [
      'etcd',
      `--name=${name}`,
      `--data-dir=${data}`,
      `--listen-client-urls=${endpoint}`,
      `--advertise-client-urls=${endpoint}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=${name}=${peers}`,
    ],
    // etcd 3.4 refuses to start on 64-bit ARM unless told; elsewhere the word means nothing.
    environment: { ETCD_UNSUPPORTED_ARCH: 'arm64' },
    folders: [data],
    ready: `ETCDCTL_API=3 etcdctl --endpoints=${endpoint} endpoint health >/dev/null 2>&1`,
    cleanup: '',
    triggers: [],
  }
}

function flanneldOn(
  host: PlannedHost,
  lab: Lab,
  peers: number,
  endpoint: string,
  flanneld: string,
): PlannedService {
  const folder = '/run/flannel'
  return {
    host: host.name,
    argv: [
      flanneld,
      `--iface=${host.nic}`,
      `--etcd-endpoints=${endpoint}`,
      '--ip-masq',
      `--subnet-file=${folder}/subnet.env`,
    ],
    environment: {},
    folders: [folder],
    ready: [`grep -q 'flannel is ready' "$log"`, ...entriesOf(host, lab, peers)].join(' && '),
    cleanup: cleanupOf(lab),
    triggers: [netConf(lab)],
  }
}

/** Whether flanneld's entries are there, each as it is planned. */
function entriesOf({ state, lent = [] }: PlannedHost, { overlay }: Lab, peers: number): string[] {
  const rows = (table: 'addresses' | 'neighbours' | 'fdb' | 'routes') => Object.entries(state[table] ?? {})
  const held = (command: string, lines: readonly string[]) =>
    lines.length === 0
      ? []
      : [
          `[ "$(${command} | grep -cF ${lines.map((line) => `-e '${line}'`).join(' ')})" -ge ${lines.length} ]`,
        ]
  const addresses = lent.flatMap((link) =>
    held(
      `ip -4 -o address show dev ${link}`,
      rows('addresses').flatMap(([key]) => (key.endsWith(` dev ${link}`) ? [` ${key.split(' ')[0]} `] : [])),
    ),
  )
  if (overlay.Backend.Type === 'udp')
    return [
      ...addresses,
      ...held(
        `ip -4 route show ${overlay.Network}`,
        lent.map((link) => `dev ${link}`),
      ),
      // The table of peers is in the process: only its log tells.
      `[ "$(grep -o 'Subnet added: [0-9./]*' "$log" | sort -u | wc -l)" -ge ${peers} ]`,
    ]
  // As the tools print a row: `10.244.2.0 lladdr MAC PERMANENT`, `MAC dst 192.168.77.2 self permanent`.
  const entry = ([key, line]: [string, string]) => `${key.split(' ')[0]} ${line} `
  return [
    ...addresses,
    ...held(`ip -4 route show root ${overlay.Network} proto boot`, rows('routes').map(entry)),
    ...lent.flatMap((link) => [
      ...held(`ip -4 neigh show dev ${link} nud permanent`, rows('neighbours').map(entry)),
      ...held(`bridge fdb show dev ${link}`, rows('fdb').map(entry)),
    ]),
  ]
}

/**
 * flanneld leaves its routes behind (proto boot; overlab's own have another), and makes its device again where that
 * is taken from it while it runs: one without overlab's alias.
 */
function cleanupOf({ overlay: { Network, Backend } }: Lab): string {
  const routes = `ip -4 route flush root ${Network} proto boot`
  if (Backend.Type !== 'vxlan') return routes
  const device = `flannel.${Backend.VNI}`
  return [
    routes,
    `case $(ip link show ${device} 2>/dev/null) in '' | *'alias ${alias}'*) ;; *) ip link delete ${device} ;; esac`,
  ].join('\n')
}
