/** A comparison's samples as the rows of its table: median, spread, and which variants are best. Pure. */
import { underlay as baseline, type Comparison, type Metric, type Sample } from './comparison.ts'
import { differenceOf } from './difference.ts'
import { summary } from './statistics.ts'

export interface Measured {
  readonly median: number
  /** The lowest and the highest sample. */
  readonly low: number
  readonly high: number
  readonly samples: readonly { readonly round: number; readonly value: number }[]
  /** Rounds in which it was not measured. */
  readonly missed: readonly Missed[]
  /**
   * `best`: better than every other, each by a claim. `level`: better than some, and no difference found to the others
   * that are so marked. Nobody has one where no claim holds.
   */
  readonly standing?: 'best' | 'level'
}

export interface Missed {
  readonly round: number
  readonly why: string
}

/** `absent`: nobody tried to measure it, since there is no such thing (a static lab has no flanneld to kill). */
export type Cell =
  Measured | { readonly notMeasured: readonly [string, ...string[]] } | { readonly absent: true }

export interface Row {
  readonly metric: Metric
  /** The part of the metric: a process, a count of hosts. */
  readonly of?: string
  /** In the order of the comparison's variants. */
  readonly cells: readonly Cell[]
}

/** In the metrics' order; the whole first, then its parts in the order in which they turn up. */
export function rowsOf({
  variants,
  metrics,
  samples: all,
}: Pick<Comparison, 'variants' | 'metrics' | 'samples'>): Row[] {
  return metrics.flatMap((metric) => {
    const samples = all.filter((sample) => sample.metric === metric.id)
    const measured = samples.filter((sample) => 'value' in sample)
    const parts = [...new Set(measured.flatMap(({ of }) => of ?? []))].toSorted(byCount)
    const whole = parts.length === 0 || measured.some(({ of }) => of === undefined)
    return [...(whole ? [undefined] : []), ...parts].map((of) => ({
      metric,
      ...(of === undefined ? {} : { of }),
      cells: ranked(
        variants.map(({ name }) => ({ name, cell: cellOf(samples, name, of) })),
        // A process that takes less is no merit while the others take more.
        of === undefined || hostCount(of) !== undefined ? metric.better : 'neither',
      ),
    }))
  })
}

/** Counts (`3 hosts`) in their order; all others stay as they are. */
function byCount(a: string, b: string): number {
  const [first, second] = [hostCount(a), hostCount(b)]
  return first === undefined || second === undefined ? 0 : first - second
}

/** `10 hosts` is 10; undefined for a part of another kind. */
export function hostCount(of: string): number | undefined {
  const count = /^(\d+) hosts?$/.exec(of)?.[1]
  return count === undefined ? undefined : Number(count)
}

export function isMeasured(cell: Cell | undefined): cell is Measured {
  return cell !== undefined && 'median' in cell
}

function cellOf(samples: readonly Sample[], variant: string, of: string | undefined): Cell {
  const all = samples.filter((sample) => sample.variant === variant)
  // What was not measured as a whole was not measured in any of its parts.
  const own = all.filter((sample) => sample.of === of || (sample.of === undefined && !('value' in sample)))
  const values = own.flatMap((sample) =>
    'value' in sample ? [{ round: sample.round, value: sample.value }] : [],
  )
  const missed = own.flatMap((sample) =>
    'value' in sample ? [] : [{ round: sample.round, why: sample.notMeasured }],
  )
  const found = summary(values.map(({ value }) => value))
  if (!found) {
    const [first, ...more] = new Set(missed.map(({ why }) => why))
    return first === undefined ? { absent: true } : { notMeasured: [first, ...more] }
  }
  return {
    median: found.median,
    low: found.min,
    high: found.max,
    samples: values.toSorted((a, b) => a.round - b.round),
    missed,
  }
}

/** The baseline is what the others are held against; it takes no part. */
function ranked(
  all: readonly { readonly name: string; readonly cell: Cell }[],
  better: Metric['better'],
): Cell[] {
  const cells = all.map(({ cell }) => cell)
  if (better === 'neither') return cells
  const measured = all.flatMap(({ name, cell }) => (name !== baseline && isMeasured(cell) ? [cell] : []))
  const sign = better === 'lower' ? 1 : -1
  const [leader, ...others] = measured.toSorted((a, b) => sign * (a.median - b.median))
  if (!leader) return cells
  const verdicts = new Map(others.map((other) => [other, differenceOf(leader, other).verdict]))
  const beaten = others.filter((other) => verdicts.get(other) === better)
  if (beaten.length === 0) return cells
  return cells.map((cell) => {
    if (cell === leader) return { ...leader, standing: beaten.length === others.length ? 'best' : 'level' }
    return isMeasured(cell) && verdicts.get(cell) === 'no difference found'
      ? { ...cell, standing: 'level' }
      : cell
  })
}
