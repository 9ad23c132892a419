/** Gathers where a result comes from: the machine, what ran beside, and the versions of all that took part. */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import type { Inventory } from '../inventory/inventory.ts'
import type { LabPlan } from '../overlay/plan.ts'
import { findCommand, isExecutable, run } from '../tools/commands.ts'
import { flanneldBinary } from '../tools/flanneld-binary.ts'
import { overlabVersion, pulumiVersion } from '../tools/versions.ts'
import type { SessionOf } from './reach.ts'
import type { Provenance } from './results/provenance.ts'

export type Measured = Pick<Provenance, 'offloads' | 'machines'>

/** Call it before the first measurement; what it returns, after the last. `words`: what stands after `./overlab`. */
export function beginProvenance(words: readonly string[]): (measured: Measured) => Promise<Provenance> {
  const startedAt = new Date().toISOString()
  const load = loadavg()[0]!
  return async ({ offloads, machines }) => ({
    startedAt,
    endedAt: new Date().toISOString(),
    command: words.map(withoutFolders),
    kernel: release(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: totalmem(),
    load: [rounded(load), rounded(loadavg()[0]!)],
    versions: await readVersions(),
    offloads,
    machines,
  })
}

function rounded(load: number): number {
  return Math.round(load * 100) / 100
}

/** `--output=/home/me/a.json` -> `--output=a.json`: whose machine it was is nobody's business. */
export function withoutFolders(word: string): string {
  return word.replace(/(^|=)(?:~|\.{0,2})?(?:\/[^/=]*)*\/([^/=]+)$/, '$1$2')
}

/** Of the hosts that were measured on: how many, and where they came from. */
export function machinesOf({ hosts }: Pick<Inventory, 'hosts'>): Provenance['machines'] {
  return {
    driver: [...new Set(hosts.map(({ machine }) => machine))].join(' and '),
    hosts: hosts.length,
    pods: hosts.reduce((sum, { pods }) => sum + pods.length, 0),
  }
}

/** Program, how it is asked, and where in its answer the version stands. */
const programs: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['ip', ['-V'], /iproute2-([\w.]+)/],
  ['iptables', ['-V'], /v(\S+ \(\w+\)|\S+)/],
  ['ping', ['-V'], /iputils[ -]([\w.-]+)/],
  ['iperf3', ['--version'], /iperf ([\w.+-]+)/],
  ['tcpdump', ['--version'], /tcpdump version ([\w.+-]+)/],
  ['ethtool', ['--version'], /version ([\w.]+)/],
  ['etcd', ['--version'], /etcd Version: (\S+)/],
]
const names: Readonly<Record<string, string>> = { ip: 'iproute2', ping: 'iputils' }

/** What is not installed is left out. */
async function readVersions(): Promise<Record<string, string>> {
  const asked = [
    ...programs.map(
      ([name, args, pattern]) => [names[name] ?? name, findCommand(name), args, pattern] as const,
    ),
    [
      'flanneld',
      isExecutable(flanneldBinary()) ? flanneldBinary() : undefined,
      ['--version'],
      /v?(\d[\w.+-]*)/,
    ] as const,
  ]
  const found = await Promise.all(
    asked.map(async ([name, path, args, pattern]) => {
      if (path === undefined) return []
      const { stdout, stderr } = await run(path, args, { timeout: 5000 })
      const version = pattern.exec(stdout + stderr)?.[1]
      return version === undefined ? [] : [[name, version] as const]
    }),
  )
  return {
    overlab: overlabVersion,
    node: process.version,
    pulumi: pulumiVersion,
    ...Object.fromEntries(found.flat()),
  }
}

/** The features that decide how many packets, and of what size, a stack really handles. */
const features =
  /^(rx-checksumming|tx-checksumming|scatter-gather|tcp-segmentation-offload|generic-segmentation-offload|generic-receive-offload|tx-udp-segmentation|tx-udp_tnl-segmentation): (on|off)/

/**
 * `eth0 tcp-segmentation-offload` -> on? Of the NIC and, where it is there, the backend's device. Empty where ethtool
 * is missing. @throws HostError where the host can not be asked
 */
export async function readOffloads(
  sessionOf: SessionOf,
  { name, nic, vtep }: Pick<LabPlan['hosts'][string], 'name' | 'nic' | 'vtep'>,
): Promise<Record<string, boolean>> {
  const session = await sessionOf(name)
  const devices = [nic, vtep?.name ?? 'flannel0']
  const { stdout } = await session.run(
    devices
      .map((device) => `ethtool -k ${device} 2>/dev/null | sed 's/^[[:space:]]*/${device} /' || :`)
      .join('\n'),
    { step: 'read offloads' },
  )
  return Object.fromEntries(
    stdout.split('\n').flatMap((line) => {
      const [device = '', ...rest] = line.split(' ')
      const found = features.exec(rest.join(' '))
      return found ? [[`${device} ${found[1]}`, found[2] === 'on'] as const] : []
    }),
  )
}
