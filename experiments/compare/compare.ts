/**
 * Variants side by side: a lab for each, and every measurement on each in turn, round by round, so that what else runs
 * on this computer meets all of them alike. All labs are taken away at the end, however it comes.
 */
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { HostError } from '../../remote/errors.ts'
import { graphOf } from '../graph/model.ts'
import { machinesOf, readOffloads, type Measured } from '../provenance.ts'
import { underlay, type Comparison } from '../results/comparison.ts'
import { pairingsOf } from '../results/pairings.ts'
import { rowsOf } from '../results/rows.ts'
import { checkScratch } from '../variants/scratch.ts'
import type { Variant } from '../variants/variant.ts'
import { openBench } from './bench.ts'
import { measureChange, measureDeath, measureJoin } from './disrupt.ts'
import {
  measureEntries,
  measureHeader,
  measureMtu,
  measureRoundTrips,
  measureTcp1,
  measureTcp4,
  measureUdp,
  reasonOf,
  type Measure,
} from './measure.ts'
import { metricsOf, type Form, type MetricId } from './metrics.ts'
import { firstAfter, runTasks, type Progress, type Task } from './tasks.ts'

export interface CompareOptions {
  readonly rounds: number
  readonly metrics: readonly MetricId[]
  readonly form: Form
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** Once, as soon as the pace is known: after the first round; of a single round, after a fifth of it. In seconds. */
  readonly onEstimate?: (estimate: { readonly passed: number; readonly left: number }) => void
}

export type Compared = Pick<Comparison, 'lab' | 'rounds' | 'variants' | 'metrics' | 'samples' | 'pairings'> &
  Measured

interface Step {
  readonly metrics: readonly MetricId[]
  readonly run: Measure
  /** See Task. */
  readonly seconds: (form: Form) => number
  /** Facts that do not change: in the first round only. */
  readonly once?: true
  /** Of whom; of all and the bare underlay unless told. */
  readonly of?: 'variants' | 'flanneld'
}

/** In this order; the ones that change a lab come last. */
const steps: readonly Step[] = [
  { metrics: ['rtt-p50', 'rtt-p99'], run: measureRoundTrips, seconds: ({ pings }) => pings / 60 },
  { metrics: ['tcp-1', 'cpu-per-gigabyte'], run: measureTcp1, seconds: ({ seconds }) => seconds + 0.5 },
  { metrics: ['tcp-4'], run: measureTcp4, seconds: ({ seconds }) => seconds + 0.5 },
  { metrics: ['udp-rate', 'udp-loss'], run: measureUdp, seconds: ({ seconds }) => seconds + 0.5 },
  { metrics: ['mtu'], run: measureMtu, seconds: () => 3, once: true },
  { metrics: ['header'], run: measureHeader, seconds: () => 1, once: true },
  { metrics: ['entries'], run: measureEntries, seconds: () => 1, once: true, of: 'variants' },
  { metrics: ['death-loss'], run: measureDeath, seconds: ({ watch }) => watch + 4, of: 'flanneld' },
  { metrics: ['change-loss', 'change-outage'], run: measureChange, seconds: () => 5, of: 'variants' },
]

/** A lab of three is enough: two that talk, and one that joins. */
const mostHosts = 3

/** @throws HostError where a variant can not have a lab at all, and after an interrupt */
export async function compare(
  { inventory: whole }: { readonly inventory: Inventory },
  variants: readonly Variant[],
  { rounds, metrics, form, signal, onProgress = () => {}, onEstimate = () => {} }: CompareOptions,
): Promise<Compared> {
  const hosts = hostsOf(whole)
  const inventory = { ...whole, hosts }
  for (const variant of variants) checkScratch(inventory, variant)
  const wanted = (one: MetricId) => metrics.includes(one)
  const chosen = steps.filter((step) => step.metrics.some(wanted))
  const titles = new Map<string, string>(metricsOf(form).map(({ id, title }) => [id, title]))
  const names = hosts.map(({ name }) => name)
  const newcomer = wanted('join') ? hosts[2] : undefined
  const bench = openBench(inventory, wanted, signal)
  const svgs = new Map<string, string>()
  const offloads: Measured['offloads'] = {}

  const build = (variant: Variant, round: number): Task => ({
    what: `building ${variant.name}`,
    seconds: 5,
    run: () => bench.build(variant, round, newcomer ? names.slice(0, -1) : names),
  })
  const join = ({ name }: Variant, round: number): Task => ({
    what: `a host joins ${name}`,
    seconds: 4,
    run: () =>
      bench.attempt(name, round, ['join'], (subject) => measureJoin(subject, names, newcomer, signal)),
  })
  const describe = ({ name }: Variant): Task => ({
    what: `reading ${name}`,
    seconds: 0.5,
    run: async () => {
      const lab = bench.lab(name)
      if (!lab) return
      const { svgOf } = await import('../graph/svg.ts')
      svgs.set(name, await svgOf(graphOf(lab.plan)))
      // Without it a result is poorer, and not wrong.
      offloads[name] = await readOffloads(lab.session, Object.values(lab.plan.hosts)[0]!).catch(
        (error: unknown) => (reasonOf(error, signal), {}),
      )
    },
  })
  const measure = ({ metrics: ids, run, seconds }: Step, name: string, round: number): Task => ({
    what: `${titles.get(ids.find(wanted)!)}: ${name}`,
    seconds: seconds(form),
    run: () => bench.attempt(name, round, ids, (subject) => run(subject, form, signal)),
  })

  // A change of backend leaves another lab behind, and each build is a sample.
  const anew = wanted('build') || newcomer !== undefined || chosen.some(({ run }) => run === measureChange)
  const tasksOf = (round: number): Task[] => {
    const inTurn = orderOf(variants, round)
    const subjects = { variants: inTurn, flanneld: inTurn.filter(({ control }) => control === 'flanneld') }
    return [
      ...(round === 1 || anew ? inTurn.map((variant) => build(variant, round)) : []),
      ...(wanted('join') ? inTurn.map((variant) => join(variant, round)) : []),
      ...(round === 1 ? inTurn.map(describe) : []),
      ...chosen
        .filter(({ once }) => round === 1 || !once)
        .flatMap((step) =>
          (step.of ? subjects[step.of] : [{ name: underlay }, ...inTurn]).map(({ name }) =>
            measure(step, name, round),
          ),
        ),
    ].map((task) => ({ ...task, what: `round ${round} of ${rounds}: ${task.what}` }))
  }

  try {
    const [first = [], ...more] = Array.from({ length: rounds }, (_, index) => tasksOf(index + 1))
    const start = performance.now()
    const told = more.length > 0 ? first.length : firstAfter(first, 1 / 5)
    const tell = (state: Progress) => {
      if (told > 0 && state.done === told)
        onEstimate({ passed: (performance.now() - start) / 1000, left: state.left })
      onProgress(state)
    }
    await runTasks([first, ...more].flat(), tell, signal)
  } finally {
    onProgress({ what: 'taking the labs away', done: 1, of: 1, left: 0 })
    await bench.clear()
  }
  const found = {
    variants: [
      { name: underlay },
      ...variants.map((variant) => ({
        ...variant,
        ...(svgs.has(variant.name) && { svg: svgs.get(variant.name)! }),
      })),
    ],
    metrics: metricsOf(form).filter(({ id }) => wanted(id)),
    samples: [...bench.samples],
  }
  return {
    lab: whole.lab.name,
    rounds,
    ...found,
    pairings: pairingsOf(found, rowsOf(found)),
    offloads,
    machines: machinesOf({ hosts }),
  }
}

/**
 * A backend's variants one right after the other, so that their ratio suffers least from what else runs; another
 * backend begins each round, and the two sides take turns in going first.
 */
export function orderOf<V extends Pick<Variant, 'backend'>>(variants: readonly V[], round: number): V[] {
  const groups = [...Map.groupBy(variants, ({ backend }) => backend).values()]
  const turn = (round - 1) % groups.length
  return [...groups.slice(turn), ...groups.slice(0, turn)].flatMap((group) =>
    round % 2 === 0 ? group.toReversed() : group,
  )
}

/** @throws HostError where nobody could talk to anybody */
function hostsOf({ hosts, lab }: Inventory): readonly Host[] {
  const withPod = hosts.filter(({ pods }) => pods.length > 0)
  if (withPod.length >= 2) return withPod.slice(0, mostHosts)
  throw new HostError({
    host: `lab ${lab.name}`,
    step: 'compare',
    why: 'two hosts with a pod each are needed to measure between them',
    hint: 'add them to the inventory, or choose another stack',
  })
}
