/** The data plane: a whole `compare`, how long it takes, and what static labs do for what flanneld's do, as ratios of one round. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compare, type Compared } from '../../experiments/compare/compare.ts'
import { forms, metricIds } from '../../experiments/compare/metrics.ts'
import { summary, type Summary } from '../../experiments/results/statistics.ts'
import { backends, variants, type Backend } from '../../experiments/variants/variant.ts'
import { loadInventory } from '../../inventory/load.ts'

export interface DataPlane {
  /** Of the whole `compare`. */
  readonly seconds: number
  readonly rounds: number
  readonly compared: Compared
}

/** Labs of its own, of three machines; taken away at the end, also after an interrupt. */
export async function measureDataPlane(
  rounds: number,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<DataPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'overlab-bench-'))
  const file = join(folder, 'lab.yaml')
  writeFileSync(
    file,
    `lab: { name: bench${process.pid}, underlay: 192.168.77.0/24, overlay: { Network: 10.244.0.0/16, Backend: { Type: vxlan } } }
all: { hosts: { 'node[1:3]': }, vars: { pods: 2 } }
`,
  )
  try {
    const start = performance.now()
    const compared = await compare({ inventory: loadInventory(file) }, variants, {
      rounds,
      metrics: metricIds,
      form: forms.whole,
      signal,
      onProgress: ({ what, left }) => say(`${what}${left > 0 ? `; some ${Math.ceil(left)} s left` : ''}`),
    })
    return { seconds: (performance.now() - start) / 1000, rounds, compared }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What is promised of static labs, as a ratio of what flanneld's do. */
interface Target {
  readonly metric: string
  readonly at: 'least' | 'most'
  readonly ratio: number
}

const targets: Readonly<Record<Backend, readonly Target[]>> = {
  vxlan: noSlower(),
  'host-gw': noSlower(),
  udp: [
    { metric: 'tcp-1', at: 'least', ratio: 5 },
    { metric: 'tcp-4', at: 'least', ratio: 5 },
    { metric: 'rtt-p50', at: 'most', ratio: 1 / 3 },
  ],
}

function noSlower(): Target[] {
  return [
    { metric: 'tcp-1', at: 'least', ratio: 1 },
    { metric: 'tcp-4', at: 'least', ratio: 1 },
    { metric: 'rtt-p50', at: 'most', ratio: 1 },
  ]
}

/** A line a backend and metric: static, flanneld, the ratio with its range, what is promised, and whether that holds. */
export function ratioRows({ metrics, samples }: Compared): string[][] {
  return backends.flatMap((backend) =>
    targets[backend].map(({ metric, at, ratio }) => {
      const { title = metric, unit = '' } = metrics.find(({ id }) => id === metric) ?? {}
      const of = (variant: string) =>
        new Map(
          samples.flatMap((sample) =>
            sample.variant === variant && sample.metric === metric && 'value' in sample
              ? [[sample.round, sample.value] as const]
              : [],
          ),
        )
      const [own, theirs] = [of(backend), of(`${backend}-flanneld`)]
      const ratios = summary(
        [...own].flatMap(([round, value]) => (theirs.has(round) ? value / theirs.get(round)! : [])),
      )
      return [
        `${backend}: ${title}, ${unit}`,
        median(own),
        median(theirs),
        ratios ? `${three(ratios.median)} (${three(ratios.min)} to ${three(ratios.max)})` : 'not measured',
        `at ${at} ${three(ratio)}`,
        ratios ? verdict(ratios, at, ratio) : '?',
      ]
    }),
  )
}

/** Two labs that hold the same kernel entries differ by chance: then the rounds say now one, now the other. */
function verdict({ median, min, max }: Summary, at: Target['at'], ratio: number): string {
  if (at === 'least' ? median >= ratio : median <= ratio) return 'yes'
  return min <= ratio && max >= ratio ? 'within the rounds' : 'no'
}

function median(samples: ReadonlyMap<number, number>): string {
  const found = summary([...samples.values()])
  return found ? three(found.median) : 'not measured'
}

function three(value: number): string {
  return String(Number(value.toPrecision(3)))
}
