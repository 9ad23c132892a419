/** What is measured: names, units, which way is good, and how each comes about. */
import { suggestion } from '../../inventory/suggest.ts'
import type { Metric } from '../results/comparison.ts'
import { smallPayload } from './iperf.ts'

/** How long the instruments look. */
export interface Form {
  readonly pings: number
  /** Of one iperf3 run. */
  readonly seconds: number
  /** How long packets are counted after the daemons' death. */
  readonly watch: number
}

export const forms = {
  whole: { pings: 300, seconds: 3, watch: 4 },
  quick: { pings: 60, seconds: 1, watch: 2 },
} as const satisfies Record<string, Form>

export const metricIds = [
  'rtt-p50',
  'rtt-p99',
  'tcp-1',
  'tcp-4',
  'udp-rate',
  'udp-loss',
  'cpu-per-gigabyte',
  'mtu',
  'header',
  'entries',
  'build',
  'join',
  'change-loss',
  'change-outage',
  'death-loss',
] as const
export type MetricId = (typeof metricIds)[number]

/** How many hosts a lab has when `entries` are planned. */
export const plannedSizes = [3, 10, 50] as const

export function metricsOf({ pings, seconds, watch }: Form): readonly (Metric & { readonly id: MetricId })[] {
  const rtt = `ping, ${pings} echo requests of 64 bytes, one every 10 ms, from the first host's pod to the second's`
  const udp = `iperf3 -u -b 0 -l ${smallPayload}, ${seconds} s, as fast as the sender can`
  return [
    { id: 'rtt-p50', title: 'RTT, median', unit: 'ms', better: 'lower', how: rtt },
    { id: 'rtt-p99', title: 'RTT, 99th percentile', unit: 'ms', better: 'lower', how: rtt },
    {
      id: 'tcp-1',
      title: 'TCP, 1 stream',
      unit: 'Mbit/s',
      better: 'higher',
      how: `iperf3, ${seconds} s; what arrived`,
    },
    {
      id: 'tcp-4',
      title: 'TCP, 4 streams',
      unit: 'Mbit/s',
      better: 'higher',
      how: `iperf3 -P 4, ${seconds} s; what arrived`,
    },
    {
      id: 'udp-rate',
      title: `UDP, ${smallPayload} bytes, arrived`,
      unit: 'packets/s',
      better: 'higher',
      how: udp,
    },
    { id: 'udp-loss', title: `UDP, ${smallPayload} bytes, lost`, unit: '%', better: 'lower', how: udp },
    {
      id: 'cpu-per-gigabyte',
      title: 'CPU per gigabyte',
      unit: 's/GB',
      better: 'lower',
      how: 'CPU seconds during `tcp-1` for 10^9 bytes that arrived: of the whole machine and its softirqs by /proc/stat (both ends and all else that runs; namespaces share one kernel, those of VMs are added up), of flanneld by /proc/PID/stat, of iperf3 by its own report. The kernel counts a softirq to the process that it interrupts too: the parts overlap',
    },
    {
      id: 'mtu',
      title: 'MTU found',
      unit: 'bytes',
      better: 'neither',
      how: 'ping -M do, halving the range: the longest IPv4 packet that arrives whole',
    },
    {
      id: 'header',
      title: 'Header',
      unit: 'bytes',
      better: 'neither',
      how: "tcpdump on the first host's NIC: the outer IPv4 packet's length less the inner one's",
    },
    {
      id: 'entries',
      title: 'Kernel entries',
      unit: 'entries',
      better: 'neither',
      how: 'devices, routes, neighbours, FDB entries, FOU ports, peers, filters and iptables rules of one host, without its pods: counted in the running kernel, and planned for labs of other sizes (static)',
    },
    {
      id: 'build',
      title: 'Time to build',
      unit: 's',
      better: 'lower',
      how: 'pulumi up from nothing to a lab whose pods reach each other, of two hosts (of all, where no host joins afterwards); one lab after the other',
    },
    {
      id: 'join',
      title: 'New host is reached',
      unit: 's',
      better: 'lower',
      how: 'from the start of the pulumi up that adds a host to the first answer of its pod, asked 20 times a second',
    },
    {
      id: 'change-loss',
      title: 'Change of backend, lost',
      unit: 'packets',
      better: 'lower',
      how: 'a pulumi up with another backend, under 100 pings a second for each ordered pair of hosts',
    },
    {
      id: 'change-outage',
      title: 'Change of backend, outage',
      unit: 'ms',
      better: 'lower',
      how: 'the longest that one pair got no answer meanwhile',
    },
    {
      id: 'death-loss',
      title: 'flanneld killed, lost',
      unit: '%',
      better: 'lower',
      how: `kill -9 of every flanneld, under 100 pings a second for each ordered pair of hosts, watched for ${watch} s; static labs have none`,
    },
  ]
}

/** @throws RangeError for a name that no metric has, with the nearest that there is */
export function metricNamed(name: string): MetricId {
  const found = metricIds.find((id) => id === name)
  if (found) return found
  throw new RangeError(`there is no metric ${name}: ${suggestion(name, metricIds)}`)
}
