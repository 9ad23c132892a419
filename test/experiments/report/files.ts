/** Result files as compare and survive could have written them: plausible figures, every kind of gap. */
import { readFileSync } from 'node:fs'
import { variants } from '../../../experiments/variants/variant.ts'
import type { Comparison, Metric, Sample } from '../../../experiments/results/comparison.ts'
import type { Provenance } from '../../../experiments/results/provenance.ts'
import type { Cell, Survival } from '../../../experiments/results/survival.ts'
import { fromRepository } from '../../../tools/paths.ts'

export const provenance: Provenance = {
  startedAt: '2026-11-22T20:10:04.000Z',
  endedAt: '2026-11-22T20:34:41.000Z',
  command: ['compare', '--rounds', '5'],
  kernel: '6.18.44-fc-v669',
  cpu: 'Intel(R) Xeon(R) Processor',
  cores: 2,
  memory: 25_278_001_152,
  load: [0.4, 1.7],
  versions: { overlab: '0.1.0', node: 'v24.21.0', pulumi: '3.259.0', iproute2: '6.1.0', iperf3: '3.12', iputils: '20221126', flanneld: '0.28.10', etcd: '3.4.23' },
  offloads: Object.fromEntries(
    ['underlay', ...variants.map(({ name }) => name)].map((name) => [
      name,
      { 'eth0 tcp-segmentation-offload': true, 'eth0 generic-receive-offload': true, 'eth0 tx-checksumming': !name.startsWith('udp') },
    ]),
  ),
  machines: { driver: 'namespace', hosts: 3, pods: 6 },
} // prettier-ignore

const names = ['underlay', ...variants.map(({ name }) => name)]
/** underlay, vxlan, host-gw, udp, and the three by flanneld. */
type Seven = readonly [number, number, number, number, number, number, number]

const metrics: readonly (Metric & { readonly values: Seven; readonly spread: number })[] = [
  { id: 'rtt-p50', title: 'Round-trip time, median', unit: 'ms', better: 'lower', how: 'ping -i 0.01 -c 1000 -q, pod to pod on another host; half of the packets were faster', values: [0.08, 0.157, 0.119, 0.14, 0.159, 0.118, 0.392], spread: 0.06 },
  { id: 'rtt-p99', title: 'Round-trip time, 99th percentile', unit: 'ms', better: 'lower', how: 'the same pings; one of a hundred was slower', values: [0.21, 0.33, 0.29, 0.31, 0.35, 0.27, 1.14], spread: 0.3 },
  { id: 'tcp-1', title: 'TCP throughput, 1 stream', unit: 'Mbit/s', better: 'higher', how: 'iperf3 -t 5 -O 1, pod to pod on another host, at the receiver', values: [12900, 9800, 10400, 2610, 9740, 10350, 287], spread: 0.05 },
  { id: 'tcp-4', title: 'TCP throughput, 4 streams', unit: 'Mbit/s', better: 'higher', how: 'iperf3 -t 5 -O 1 -P 4', values: [14100, 10900, 11500, 2890, 10800, 11600, 301], spread: 0.05 },
  { id: 'udp-rate', title: 'Small UDP packets arrived', unit: 'packets/s', better: 'higher', how: 'iperf3 -u -b 0 -l 64 -t 3, counted where they arrive', values: [141000, 88000, 118000, 97000, 87000, 119000, 31000], spread: 0.06 },
  { id: 'udp-loss', title: 'Small UDP packets lost', unit: '%', better: 'lower', how: 'the same run; what was sent and did not arrive', values: [0.4, 2.1, 0.9, 1.6, 2.3, 0.8, 61], spread: 0.2 },
  { id: 'mtu', title: 'MTU found by probing', unit: 'bytes', better: 'higher', how: 'ping -M do, the largest packet that arrives', values: [1500, 1450, 1500, 1472, 1450, 1500, 1472], spread: 0 },
  { id: 'header', title: 'Outer header', unit: 'bytes', better: 'lower', how: 'from a capture on the sending NIC: outer length minus inner length', values: [0, 50, 0, 28, 50, 0, 28], spread: 0 },
  { id: 'build', title: 'Time to build', unit: 's', better: 'lower', how: 'pulumi up --yes --skip-preview on machines that are there', values: [0, 2.1, 1.9, 2.6, 9.4, 9.1, 9.8], spread: 0.08 },
] // prettier-ignore

/** The same numbers in every run: a small linear congruential generator. */
function noise(): () => number {
  let state = 42
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 30 - 1
}

const cpu: Metric = { id: 'cpu-per-gigabyte', title: 'CPU time per gigabyte', unit: 's/GB', better: 'lower', how: 'the machines’ cgroups and flanneld’s /proc/PID/stat over the run of TCP, both ends together' } // prettier-ignore
const entries: Metric = { id: 'entries', title: 'Kernel entries of a host', unit: 'entries', better: 'lower', how: 'counted in the plan: routes, neighbours, FDB entries and rows of the table of peers' } // prettier-ignore

export function comparisonFile(): Comparison {
  const random = noise()
  const rounds = [1, 2, 3, 4, 5]
  const plain = metrics.flatMap(({ id, values, spread }) =>
    names.flatMap((variant, index) =>
      rounds.map((round): Sample => {
        if (id === 'build' && variant === 'underlay')
          return { variant, metric: id, round, notMeasured: 'there is nothing to build on the underlay' }
        if (id === 'udp-loss' && variant === 'host-gw-flanneld')
          return { variant, metric: id, round, notMeasured: 'node2: iperf3: unable to receive results: Resource temporarily unavailable' }
        if (id === 'tcp-4' && variant === 'vxlan' && round === 3)
          return { variant, metric: id, round, notMeasured: 'node3: connect: its machine does not run' }
        const value = values[index]! * (1 + spread * random())
        return { variant, metric: id, round, value: Number(value.toPrecision(4)) }
      }),
    ),
  ) // prettier-ignore
  const processes: readonly (readonly [string | undefined, Seven])[] = [
    [undefined, [0.82, 1.1, 0.95, 3.1, 1.12, 0.94, 52]],
    ['softirq', [0.42, 0.71, 0.55, 2.4, 0.72, 0.54, 11.2]],
    ['iperf3 sending', [0.31, 0.36, 0.34, 0.61, 0.36, 0.35, 1.9]],
    ['iperf3 receiving', [0.25, 0.31, 0.28, 0.52, 0.3, 0.29, 1.4]],
    ['flanneld sending', [0, 0, 0, 0, 0, 0, 19.1]],
    ['flanneld receiving', [0, 0, 0, 0, 0, 0, 18.4]],
  ]
  const parts = processes.flatMap(([of, values]) =>
    names.flatMap((variant, index) =>
      of?.startsWith('flanneld') && !variant.endsWith('flanneld')
        ? []
        : rounds.map((round): Sample => {
            const value = Number((values[index]! * (1 + 0.1 * random())).toPrecision(3))
            return { variant, metric: cpu.id, round, ...(of === undefined ? {} : { of }), value }
          }),
    ),
  )
  const growth = ([3, 10, 50] as const).flatMap((hosts) =>
    names.slice(1).map((variant): Sample => {
      const peers = hosts - 1
      const value = variant.startsWith('vxlan') ? 3 * peers : variant === 'udp-flanneld' ? 1 : peers
      return { variant, metric: entries.id, round: 1, of: `${hosts} hosts`, value }
    }),
  )
  const none: Sample = { variant: 'underlay', metric: entries.id, round: 1, notMeasured: 'it has no overlay' }
  const svg = readFileSync(fromRepository('docs/images/lab-vxlan.svg'), 'utf8')
  return {
    kind: 'overlab.comparison',
    version: 1,
    provenance,
    lab: 'lab',
    rounds: rounds.length,
    variants: [
      { name: 'underlay' },
      ...variants.map((variant) => ({
        ...variant,
        svg: svg.replaceAll(/, vxlan<| by vxlan\./g, (text) => text.replace('vxlan', variant.backend)),
      })),
    ],
    metrics: [...metrics.map(({ values: _, spread: __, ...metric }) => metric), cpu, entries],
    samples: [...plain, ...parts, ...growth, none],
  }
}

type Outcome = readonly [
  heals: 'unharmed' | 'by itself' | 'by pulumi up' | 'never',
  lost: number,
  outageMs: number,
]
const fine: Outcome = ['unharmed', 0, 0]
const gone: Outcome = ['never', 600, 12_000]
const up = (lost: number): Outcome => ['by pulumi up', lost, lost * 20]
const self = (lost: number): Outcome => ['by itself', lost, lost * 10]
type Six = readonly (Outcome | undefined)[]
/** vxlan, host-gw, udp, and the three by flanneld; undefined: not applicable. */
const faults: readonly (readonly [id: string, title: string, what: string, outcomes: Six])[] = [
  ['kill-one', 'kill -9 of flanneld on one host', 'flanneld of the first host is killed by SIGKILL and started again by nobody', [undefined, undefined, undefined, fine, fine, gone]],
  ['kill-all', 'kill -9 of flanneld on all hosts', 'every flanneld is killed by SIGKILL', [undefined, undefined, undefined, fine, fine, gone]],
  ['term-all', 'SIGTERM of flanneld', 'flanneld of every host is asked to end', [undefined, undefined, undefined, fine, fine, gone]],
  ['kill-etcd', 'etcd killed', 'etcd is killed by SIGKILL', [undefined, undefined, undefined, fine, fine, fine]],
  ['kill-both', 'flanneld and etcd killed, left dead', 'every flanneld, then etcd; nothing is started again', [undefined, undefined, undefined, fine, fine, gone]],
  ['flush-neighbours', 'Ordinary neighbours flushed', 'ip neigh flush all on every host', [fine, fine, fine, fine, fine, fine]],
  ['flush-permanent', 'Permanent neighbours flushed', 'ip neigh flush nud permanent on every host', [up(312), fine, fine, gone, fine, fine]],
  ['flush-fdb', 'FDB flushed', 'every entry of flannel.1 is deleted', [up(324), fine, fine, gone, fine, fine]],
  ['overlay-down', 'Overlay link down and up', 'ip link set flannel.1 down, then up', [up(298), undefined, undefined, gone, undefined, gone]],
  ['nic-down', 'NIC down and up', 'ip link set eth0 down, then up, on one host', [self(112), up(351), up(349), self(118), gone, self(121)]],
  ['flush-iptables', 'iptables flushed', 'every rule and chain of flannel is deleted', [fine, fine, fine, self(9), self(7), self(11)]],
  ['reboot', 'A host reboots', 'its init is killed and started again on the same file system', [up(402), up(397), up(404), self(831), self(790), self(852)]],
  ['host-joins', 'A new host joins', 'a fourth host is added to the inventory', [fine, fine, fine, fine, fine, fine]],
] // prettier-ignore

export function survivalFile(): Survival {
  const cells = faults.flatMap(([fault, , , outcomes]) =>
    variants.map(({ name: variant, control }, index): Cell => {
      const outcome = outcomes[index]
      if (!outcome)
        return {
          variant,
          fault,
          notApplicable: control === 'static' ? 'no daemon runs in a static lab' : 'it has no overlay link',
        }
      if (fault === 'host-joins' && variant === 'udp-flanneld')
        return { variant, fault, notMeasured: 'node4: machine: was not ready within 30 s' }
      const [heals, lost, outageMs] = outcome
      return {
        variant,
        fault,
        sent: 3600,
        lost,
        outageMs,
        heals,
        pairs:
          lost > 0
            ? [
                { pair: 'node1-pod1 -> node2-pod1', sent: 600, lost: Math.ceil(lost / 2), outageMs },
                { pair: 'node2-pod1 -> node1-pod1', sent: 600, lost: Math.floor(lost / 2), outageMs },
              ]
            : [],
        ...(heals === 'unharmed'
          ? {}
          : { because: 'The entry that names the peer was gone until somebody put it back.' }),
      }
    }),
  )
  return {
    kind: 'overlab.survival',
    version: 1,
    provenance: { ...provenance, command: ['survive'], startedAt: '2026-11-22T20:40:00.000Z', endedAt: '2026-11-22T21:02:00.000Z' }, // prettier-ignore
    lab: 'lab',
    variants: variants.map(({ name, backend, control }) => ({ name, backend, control })),
    faults: faults.map(([id, title, what]) => ({ id, title, what })),
    cells,
  }
}
