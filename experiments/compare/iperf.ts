/** Throughput: iperf3's scripts, and its JSON. Pure. */
import * as z from 'zod'
import { inside, type End } from './end.ts'

export interface Load {
  readonly protocol: 'tcp' | 'udp'
  readonly streams: number
  readonly seconds: number
}

/** Payload of a small packet, in bytes; as fast as the sender can. */
export const smallPayload = 64
const port = 5201

/** A server for one measurement, which listens when this script ends; it ends with its client, or by itself. */
export function serverScript(to: End, { seconds }: Load): string {
  const log = '/run/overlab-iperf3.log'
  return `export LC_ALL=C
command -v iperf3 >/dev/null || { echo 'iperf3 is not installed' >&2; exit 127; }
timeout ${seconds + 20} ${inside(to)}iperf3 -s -1 -p ${port} >${log} 2>&1 &
n=0; until ${inside(to)}ss -Hltn 'sport = :${port}' | grep -q .; do
  n=$((n + 1)); [ $n -lt 100 ] || { cat ${log} >&2; exit 1; }; sleep 0.05
done
`
}

export function clientScript(from: End, to: End, { protocol, streams, seconds }: Load): string {
  const words = protocol === 'udp' ? `-u -b 0 -l ${smallPayload}` : `-P ${streams}`
  return `export LC_ALL=C
command -v iperf3 >/dev/null || { echo 'iperf3 is not installed' >&2; exit 127; }
exec timeout ${seconds + 15} ${inside(from)}iperf3 -J -c ${to.address} -p ${port} -t ${seconds} ${words}
`
}

export interface Throughput {
  /** Of what arrived. */
  readonly bytes: number
  readonly seconds: number
  /** CPU seconds of iperf3 itself, which counts them for both ends. */
  readonly cpu: { readonly sending: number; readonly receiving: number }
  /** udp only. */
  readonly packets?: { readonly sent: number; readonly lost: number }
}

const sum = z.object({ bytes: z.number(), seconds: z.number().positive() })
const report = z.object({
  end: z.object({
    sum_sent: sum,
    sum_received: sum,
    sum: z.object({ packets: z.number(), lost_packets: z.number() }).optional(),
    cpu_utilization_percent: z.object({ host_total: z.number(), remote_total: z.number() }),
  }),
})
const failure = z.object({ error: z.string() })

/** What `iperf3 -J` printed; or its error in its own words. */
export function parseThroughput(output: string): Throughput | string {
  let json: unknown
  try {
    json = JSON.parse(output)
  } catch {
    return output.trim() ? `iperf3 printed no JSON: ${output.trim().slice(0, 200)}` : 'iperf3 printed nothing'
  }
  const failed = failure.safeParse(json)
  if (failed.success) return `iperf3: ${failed.data.error}`
  const read = report.safeParse(json)
  if (!read.success) return `iperf3's report lacks ${read.error.issues[0]?.path.join('.') ?? 'something'}`
  const { sum_sent, sum_received, sum: both, cpu_utilization_percent: cpu } = read.data.end
  const udp = 'sum' in read.data.end && both
  // A udp receiver's own clock stops with the sender's; a connection with nothing received moved nothing.
  if (sum_received.bytes === 0) return 'iperf3: nothing arrived'
  return {
    bytes: sum_received.bytes,
    seconds: sum_received.seconds,
    cpu: {
      sending: (cpu.host_total / 100) * sum_sent.seconds,
      receiving: (cpu.remote_total / 100) * sum_received.seconds,
    },
    ...(udp ? { packets: { sent: udp.packets, lost: udp.lost_packets } } : {}),
  }
}
