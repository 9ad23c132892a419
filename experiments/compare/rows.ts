/** A comparison as a table's rows: metric by metric, what every variant's samples say together. Pure. */
import type { Comparison, Metric } from '../results/comparison.ts'
import { summary, type Summary } from './statistics.ts'

export interface Row {
  readonly metric: Metric
  /** What the values are of, where a metric has several. */
  readonly of?: string
  /** By the variants' order. */
  readonly cells: readonly Cell[]
}

export interface Cell {
  /** Undefined: nothing was measured. */
  readonly summary?: Summary
  /** Why samples are missing; empty where none are. */
  readonly reasons: readonly string[]
  /** The best median among the variants; the baseline takes no part, and no cell is best where all are equal. */
  readonly best: boolean
}

/** @param baseline the name of the variant that is only there to compare with */
export function rowsOf(
  comparison: Pick<Comparison, 'variants' | 'metrics' | 'samples'>,
  baseline: string,
): Row[] {
  const { variants, metrics, samples } = comparison
  return metrics.flatMap((metric) => {
    const ofMetric = samples.filter((sample) => sample.metric === metric.id)
    // A sample that was not measured has no part to be of: its reason stands at the metric itself.
    const parts = [...new Set([undefined, ...ofMetric.map(({ of }) => of)])]
    return parts.flatMap((of) => {
      const ofPart = ofMetric.filter((sample) => sample.of === of)
      if (ofPart.length === 0) return []
      const cells = variants.map(({ name }) => cellOf(ofPart.filter(({ variant }) => variant === name)))
      const best = bestOf(
        cells.filter((_, index) => variants[index]!.name !== baseline),
        metric.better,
      )
      return [
        {
          metric,
          ...(of === undefined ? {} : { of }),
          cells: cells.map((cell, index) => ({
            ...cell,
            best: variants[index]!.name !== baseline && best !== undefined && cell.summary?.median === best,
          })),
        },
      ]
    })
  })
}

function cellOf(samples: Comparison['samples']): Omit<Cell, 'best'> {
  const values = samples.flatMap((sample) => ('value' in sample ? [sample.value] : []))
  const reasons = samples.flatMap((sample) => ('notMeasured' in sample ? [sample.notMeasured] : []))
  const found = summary(values)
  return { ...(found && { summary: found }), reasons: [...new Set(reasons)] }
}

function bestOf(cells: readonly Omit<Cell, 'best'>[], better: Metric['better']): number | undefined {
  const medians = cells.flatMap(({ summary: found }) => (found ? [found.median] : []))
  if (better === 'neither' || new Set(medians).size < 2) return undefined
  return better === 'lower' ? Math.min(...medians) : Math.max(...medians)
}
