/** The data plane: a whole `compare`, how long it takes, and what static labs do for what flanneld's do, as ratios of one round. */
import { compare, type Compared } from '../../experiments/compare/compare.ts'
import { forms, metricIds } from '../../experiments/compare/metrics.ts'
import { backends, variants, type Backend } from '../../experiments/variants/variant.ts'
import { parseInventory } from '../../inventory/load.ts'
import type { Bench } from './bench-options.ts'
import { progressText, roundsOf, titleOf } from './compared.ts'
import { medianText, ratios, ratioText, verdict, wantedText, type Target } from './ratio.ts'
import { table, type Section } from './table.ts'

export interface DataPlane {
  /** Of the whole `compare`. */
  readonly seconds: number
  readonly rounds: number
  readonly compared: Compared
}

const inventory = `lab: { name: bench${process.pid}, underlay: 192.168.77.0/24, overlay: { Network: 10.244.0.0/16, Backend: { Type: vxlan } } }
all: { hosts: { 'node[1:3]': }, vars: { pods: 2 } }
`

/** Labs of its own, of three machines; taken away at the end, also after an interrupt. */
export async function measureDataPlane({ rounds, signal, say }: Bench): Promise<DataPlane> {
  const start = performance.now()
  const compared = await compare({ inventory: parseInventory(inventory, 'lab.yaml') }, variants, {
    rounds,
    metrics: metricIds,
    form: forms.whole,
    signal,
    onProgress: (progress) => say(progressText(progress)),
  })
  return { seconds: (performance.now() - start) / 1000, rounds, compared }
}

/** What is promised of static labs, as a ratio of what flanneld's do. */
const targets: Readonly<Record<Backend, readonly (Target & { readonly metric: string })[]>> = {
  vxlan: noSlower(),
  'host-gw': noSlower(),
  udp: [
    { metric: 'tcp-1', at: 'least', bound: 5 },
    { metric: 'tcp-4', at: 'least', bound: 5 },
    { metric: 'rtt-p50', at: 'most', bound: 1 / 3 },
  ],
}

function noSlower(): (Target & { readonly metric: string })[] {
  return [
    { metric: 'tcp-1', at: 'least', bound: 1 },
    { metric: 'tcp-4', at: 'least', bound: 1 },
    { metric: 'rtt-p50', at: 'most', bound: 1 },
  ]
}

/** A line a backend and metric: static, flanneld, the ratio with its range, what is promised, and whether that holds. */
export function ratioRows(compared: Pick<Compared, 'metrics' | 'samples'>): string[][] {
  return backends.flatMap((backend) =>
    targets[backend].map((target) => {
      const [own, theirs] = [backend, `${backend}-flanneld`].map((variant) =>
        roundsOf(compared, variant, target.metric),
      ) as [Map<number, number>, Map<number, number>]
      const found = ratios(own, theirs)
      return [
        `${backend}: ${titleOf(compared, target.metric)}`,
        medianText(own.values()),
        medianText(theirs.values()),
        ratioText(found),
        wantedText(target),
        verdict(found, target),
      ]
    }),
  )
}

export function dataPlaneSections({ compared, seconds, rounds }: DataPlane): Section[] {
  return [
    [
      `The data plane, static against flanneld, medians of ${rounds} rounds; the whole compare took ${seconds.toFixed(0)} s`,
      table(['', 'static', 'flanneld', 'ratio, round by round', 'wanted', 'met'], ratioRows(compared)),
    ],
  ]
}
