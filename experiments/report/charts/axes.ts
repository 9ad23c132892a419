/** What all charts share: variants from top to bottom, values from zero to the right. */
import { formatted } from '../number.ts'
import { isMeasured, type Row } from '../../results/rows.ts'
import { classOf, type Named } from '../words.ts'
import { labelGap, plotWidth, rightMargin, textWidth, type Layer } from './draw.ts'

type Encoding = NonNullable<Extract<Layer, { mark: unknown }>['encoding']>
type Axis = NonNullable<Encoding['y']>

/**
 * The vertical axis: the variants in the table's order, also those of which nothing was measured. They are known to
 * Vega by their place: some names (`toString`, an empty one) mean something to it.
 */
export function variantAxis(variants: readonly Named[]): Axis {
  return {
    field: 'row',
    type: 'ordinal',
    title: null,
    scale: { domain: variants.map((_, row) => row) },
    axis: { labels: false },
  }
}

/** The variants' names, left of the axis. */
export function variantNames(variants: readonly Named[], y: Axis): Layer {
  return {
    data: { values: variants.map(({ name }, row) => ({ row, name })) },
    mark: { type: 'text', align: 'right', x: -labelGap, color: 'var(--text)' },
    encoding: { y, text: { field: 'name', type: 'nominal' } },
  }
}

/**
 * The horizontal axis begins at zero: a length then is what it looks like. Behind the largest value there is room for
 * `labels`.
 */
export function valueAxis(
  values: readonly number[],
  variants: readonly Named[],
  labels: readonly string[] = [],
): (field: string) => Axis {
  const plot = plotWidth(variants.map(({ name }) => name))
  const room = plot / (plot - Math.min(plot / 2, textWidth(labels) + labelGap))
  const domain = [Math.min(0, ...values) * room, (Math.max(0, ...values) || 1) * room] as const
  return (field) => ({
    field,
    type: 'quantitative',
    title: null,
    scale: { domain: [...domain], nice: false },
    axis: {
      values: ticks(domain, plot),
      labelOverlap: false,
      labelFlush: false,
      // Vega groups by commas.
      labelExpr: `replace(datum.label, /,/g, '\\u202f')`,
    },
  })
}

/** Round numbers that have room for what stands below them; Vega's own choice takes the letters for too wide. */
function ticks([least, most]: readonly [number, number], plot: number): number[] {
  const pixels = plot / (most - least)
  const power = 10 ** Math.floor(Math.log10(most - least))
  const fits = (step: number): boolean => {
    const last = step * Math.floor(most / step)
    return step * pixels > textWidth([formatted(last), ' ']) + 10
  }
  const steps = [0.1, 0.2, 0.5, 1, 2, 5].map((factor) => factor * power)
  const step = steps.find((one) => one * 5 > most - least && fits(one)) ?? 10 * power
  const first = Math.ceil(least / step)
  return (
    Array.from({ length: Math.floor(most / step) - first + 1 }, (_, index) =>
      Number(((first + index) * step).toPrecision(12)),
    )
      // The last one's half must fit beside the plot.
      .filter((tick) => (most - tick) * pixels + rightMargin >= textWidth([formatted(tick)]) / 2)
  )
}

const classes = ['baseline', 'static', 'flanneld']
const ofClass = { field: 'class', type: 'nominal', legend: null } as const

/** Who fills the kernel: by colour, and by the point's shape for those who see no colour. */
export const byClass: Required<Pick<Encoding, 'color' | 'shape'>> = {
  color: { ...ofClass, scale: { domain: classes, range: classes.map((name) => `var(--${name})`) } },
  shape: { ...ofClass, scale: { domain: classes, range: ['square', 'circle', 'diamond'] } },
}

/** What a mark needs to be in its row, in its colour. */
export function inRow(variant: Named, row: number): { row: number; variant: string; class: string } {
  return { row, variant: variant.name, class: classOf(variant) }
}

/** Said at the beginning of each row that has no value: an empty row would look like a zero. */
export function remarks(rows: readonly Row[], y: Axis): Layer {
  const values = (rows[0]?.cells ?? []).flatMap((_, row) => {
    const cells = rows.flatMap(({ cells }) => cells[row] ?? [])
    if (cells.some(isMeasured)) return []
    return [{ row, remark: cells.some((cell) => 'notMeasured' in cell) ? 'not measured' : 'none' }]
  })
  return {
    data: { values },
    mark: { type: 'text', align: 'left', x: 6, color: 'var(--quiet)', fontStyle: 'italic' },
    encoding: { y, text: { field: 'remark', type: 'nominal' } },
  }
}
