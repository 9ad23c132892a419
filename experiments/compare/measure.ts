/** The measurements between two ends, each with its instrument. What could not be measured is a reason, never a zero. */
import { HostError } from '../../remote/errors.ts'
import { observe } from '../trace/collect.ts'
import type { End as TraceEnd } from '../trace/endpoint.ts'
import { cpuPerGigabyte, cpuScript, parseCpu, type CpuTimes } from './cpu.ts'
import type { End, Subject } from './end.ts'
import { countEntries, plannedFor } from './entries.ts'
import { headerBytes } from './header.ts'
import { clientScript, parseThroughput, serverScript, type Load, type Throughput } from './iperf.ts'
import { plannedSizes, type Form, type MetricId } from './metrics.ts'
import { mtuScript, parseMtu } from './mtu.ts'
import { parseRoundTrips, roundTripScript } from './round-trip.ts'
import { percentile } from '../results/statistics.ts'

/** One value, or why there is none. */
export type Reading = {
  readonly metric: MetricId
  readonly of?: string
} & ({ readonly value: number } | { readonly notMeasured: string })

/** Thrown inside a measurement: this one did not happen, the others may. */
export class NotMeasured extends Error {}

export type Measure = (subject: Subject, form: Form, signal?: AbortSignal) => Promise<Reading[]>

/** @throws HostError where the host does not answer; NotMeasured where the script fails */
export async function runOn(
  { lab }: Pick<Subject, 'lab'>,
  host: string,
  step: string,
  script: string,
  seconds: number,
  signal?: AbortSignal,
): Promise<string> {
  const session = await lab.session(host)
  const { stdout, stderr, exitCode } = await session.run(script, {
    step,
    timeoutMs: (seconds + 60) * 1000,
    ...(signal && { signal }),
  })
  if (exitCode === 0 || stdout.trim()) return stdout
  throw new NotMeasured(`${host}: ${step}: ${stderr.trim().split('\n').at(-1) || `exit ${exitCode}`}`)
}

export const measureRoundTrips: Measure = async (subject, { pings }, signal) => {
  const { from, to } = subject
  const script = roundTripScript(from, to, pings)
  const output = await runOn(subject, from.host, 'ping', script, pings / 50, signal)
  const found = parseRoundTrips(output)
  if (!found) throw new NotMeasured(`${from.host}: ping: ${output.trim().split('\n')[0] || 'said nothing'}`)
  if (found.times.length === 0)
    throw new NotMeasured(`${from.host}: ping: none of ${found.sent} was answered`)
  return [
    { metric: 'rtt-p50', value: percentile(found.times, 50) },
    { metric: 'rtt-p99', value: percentile(found.times, 99) },
  ]
}

async function throughput(subject: Subject, load: Load, signal?: AbortSignal): Promise<Throughput> {
  const { from, to } = subject
  await runOn(subject, to.host, 'iperf3 server', serverScript(to, load), 10, signal)
  const output = await runOn(subject, from.host, 'iperf3', clientScript(from, to, load), load.seconds, signal)
  const read = parseThroughput(output)
  if (typeof read === 'string') throw new NotMeasured(`${from.host}: ${read}`)
  return read
}

const megabits = ({ bytes, seconds }: Throughput): number => (bytes * 8) / seconds / 1e6

export const measureTcp1: Measure = async (subject, { seconds }, signal) => {
  const look = async (): Promise<[CpuTimes | undefined, CpuTimes | undefined]> => {
    const [a, b] = await Promise.all(
      [subject.from, subject.to].map(async ({ host }) =>
        parseCpu(await runOn(subject, host, 'read CPU times', cpuScript, 10, signal)),
      ),
    )
    return [a, b]
  }
  const before = await look()
  const found = await throughput(subject, { protocol: 'tcp', streams: 1, seconds }, signal)
  const after = await look()
  const cpu =
    before[0] && before[1] && after[0] && after[1]
      ? cpuPerGigabyte([before[0], before[1]], [after[0], after[1]], found.cpu, found.bytes)
      : undefined
  return [
    { metric: 'tcp-1', value: megabits(found) },
    ...(cpu?.map((one) => ({ metric: 'cpu-per-gigabyte' as const, ...one })) ?? [
      { metric: 'cpu-per-gigabyte' as const, notMeasured: '/proc/stat is not as expected' },
    ]),
  ]
}

export const measureTcp4: Measure = async (subject, { seconds }, signal) => [
  {
    metric: 'tcp-4',
    value: megabits(await throughput(subject, { protocol: 'tcp', streams: 4, seconds }, signal)),
  },
]

export const measureUdp: Measure = async (subject, { seconds: wanted }, signal) => {
  const { packets, seconds } = await throughput(
    subject,
    { protocol: 'udp', streams: 1, seconds: wanted },
    signal,
  )
  if (!packets || packets.sent === 0) throw new NotMeasured('iperf3 counted no packet')
  const { sent, lost } = packets
  return [
    { metric: 'udp-rate', value: (sent - lost) / seconds },
    { metric: 'udp-loss', value: (lost / sent) * 100 },
  ]
}

export const measureMtu: Measure = async (subject, _, signal) => {
  const { from, to, lab } = subject
  const found = parseMtu(
    await runOn(subject, from.host, 'ping -M do', mtuScript(from, to, 2 * lab.plan.lab.mtu), 30, signal),
  )
  if (typeof found === 'string') throw new NotMeasured(`${from.host}: ${found}`)
  return [{ metric: 'mtu', value: found }]
}

export const measureHeader: Measure = async ({ lab, from, to }, _, signal) => {
  const observed = await observe(
    lab.session,
    lab.plan,
    traceEnd(from),
    traceEnd(to),
    signal ? { signal } : {},
  )
  const found = headerBytes(observed, from.host, lab.plan.hosts[from.host]!.nic)
  if (typeof found === 'string') throw new NotMeasured(`${from.host}: ${found}`)
  return [{ metric: 'header', value: found }]
}

function traceEnd({ host, pod, address }: End): TraceEnd {
  return { kind: pod ? 'pod' : 'host', name: pod ?? host, address, host }
}

/** Planned sizes are overlab's: what flanneld needs in the kernel is counted only, since for udp it keeps its peers to itself. */
export const measureEntries: Measure = async ({ lab, from }, _, signal) => {
  const { lab: settings, hosts } = lab.plan
  const host = hosts[from.host]!
  const { machine } = lab.inventory.hosts.find(({ name }) => name === from.host)!
  const planned =
    host.control === 'static'
      ? plannedSizes.map((size): Reading => {
          const found = plannedFor(settings, machine, size)
          const of = `${size} hosts`
          return {
            metric: 'entries',
            of,
            ...(typeof found === 'number' ? { value: found } : { notMeasured: found }),
          }
        })
      : []
  return [{ metric: 'entries', value: await countEntries(lab.session, host, signal) }, ...planned]
}

/** Whether a failure is one of a measurement; an interrupt and a fault of overlab's are not. */
export function reasonOf(error: unknown, signal?: AbortSignal): string {
  if (signal?.aborted) throw error
  if (error instanceof NotMeasured) return error.message
  if (error instanceof HostError) return error.brief
  throw error
}
