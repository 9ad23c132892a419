/** What is printed of each part, from what was measured: tables that prettier leaves as they are. */
import { format } from 'prettier'
import { expect, test } from 'vitest'
import { metricsOf, forms } from '../../experiments/compare/metrics.ts'
import type { Sample } from '../../experiments/results/comparison.ts'
import { dataPlaneSections } from './data-plane.ts'
import { imageSections } from './image.ts'
import { operationSections } from './operations.ts'
import { sshSections } from './ssh.ts'
import { sections, type Section } from './table.ts'
import { vmSections } from './vm-report.ts'
import type { Build } from './vms.ts'

const metrics = [...metricsOf(forms.whole)]
/** One sample a round. */
const samples = (variant: string, metric: string, values: readonly number[]): Sample[] =>
  values.map((value, index) => ({ variant, metric, round: index + 1, value }))

const build = (up: number, memory: number): Build => ({
  up,
  boot: 14_000,
  overlay: 9_500,
  answers: 2_300,
  vms: [
    { memory: 270e6, peak: 271e6, cpu: 11 },
    { memory, peak: memory + 1e6, cpu: 12.25 },
  ],
})
const pods = ['vxlan', 'host-gw', 'udp'].flatMap((backend) => [
  ...samples(backend, 'rtt-p50', [1.2, 1.4]),
  ...samples(backend, 'tcp-1', [300, 310]),
])
const network = {
  metrics,
  samples: [
    ...pods,
    ...samples('underlay', 'rtt-p50', [1, 1]),
    ...samples('underlay', 'tcp-1', [600, 620]),
    { variant: 'udp', metric: 'tcp-4', round: 1, notMeasured: 'iperf3: nothing arrived' },
  ],
}
const accelerator = { name: 'tcg', why: 'there is no /dev/kvm' } as const
const late = { notMeasured: 'node3-pod1 did not answer within 30 s after SSH' }

const reports: Readonly<Record<string, Section[]>> = {
  vms: vmSections({
    accelerator,
    builds: [build(25_000, 274e6), build(41_000, 280e6), build(30_500, 276e6)],
    cuts: [
      { ssh: 9_000, answer: 10_500, lacks: [] },
      { ssh: 11_000, answer: 10_200, lacks: [] },
    ],
    network,
  }),
  'vms-slow': vmSections({
    accelerator,
    builds: [build(45_000, 310e6)],
    cuts: [
      { ssh: 9_000, answer: late, lacks: ['links["cni0"]', 'links["flannel.1"]'] },
      { ssh: 9_500, answer: 11_000, lacks: ['routes["10.244.1.0/24"]'] },
      { answer: { notMeasured: 'node3: boot: the VM does not boot' }, lacks: [] },
    ],
    network: { metrics, samples: [] },
  }),
  ssh: sshSections({
    applies: [
      {
        hosts: 1,
        ms: { openssh: [300, 270, 310], overlab: [490, 580, 230], unconfirmed: [280, 220, 190] },
        connects: 2,
        roundTrips: 3,
      },
      {
        hosts: 3,
        ms: { openssh: [650, 490, 640], overlab: [540, 460, 430], unconfirmed: [500, 340, 320] },
        connects: 2,
        roundTrips: 3,
      },
    ],
    up: [2810, 3470, 5350],
  }),
  'data-plane': dataPlaneSections({
    seconds: 1205,
    rounds: 3,
    compared: {
      lab: 'bench',
      rounds: 3,
      variants: [],
      offloads: {},
      machines: { driver: 'namespace', hosts: 3, pods: 6 },
      metrics,
      samples: [
        ...samples('vxlan', 'tcp-1', [100, 90, 110]),
        ...samples('vxlan-flanneld', 'tcp-1', [95, 100, 100]),
        ...samples('udp', 'tcp-1', [100, 90]),
        ...samples('udp-flanneld', 'tcp-1', [95, 100]),
        // No round has both.
        ...samples('host-gw', 'tcp-1', [100]),
      ],
    },
  }),
  image: imageSections({
    ms: 74_210,
    about: 'Debian bookworm, kernel 6.1.0-53-cloud-amd64, 299 MiB',
    files: { 'root.img': 313e6, kernel: 14.5e6, initrd: 2.5e6, busybox: 2e6, about: 4096 },
  }),
  operations: operationSections([
    {
      hosts: 3,
      load: 1.25,
      operations: {
        refresh: [
          {
            total: 1000,
            cpu: 900,
            engine: 100,
            plugins: 50,
            program: 0,
            machines: 0,
            connect: 60,
            probe: 70,
            apply: 0,
            rest: 720,
            connects: 3,
            roundTrips: 3,
          },
        ],
      },
      push: { overlab: [400], openssh: [1000], up: [1900], engine: [1200], connects: 1, roundTrips: 2 },
    },
  ]),
}

test.each(Object.entries(reports))('%s', async (name, report) => {
  const text = `${sections(report)}\n`
  await expect(text).toMatchFileSnapshot(`said/${name}.md`)
  expect(await format(text, { parser: 'markdown' })).toBe(text)
})
