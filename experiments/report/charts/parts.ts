/**
 * A metric that has parts (the CPU time of each process): their medians side by side, variant by variant. They are not
 * put upon each other, since parts may overlap: the kernel counts a softirq to the process that it interrupts too.
 */
import type { Html } from '../html.ts'
import { formatted } from '../number.ts'
import { isMeasured, type Row } from '../../results/rows.ts'
import type { Named } from '../words.ts'
import { inRow, remarks, valueAxis, variantAxis, variantNames } from './axes.ts'
import { draw } from './draw.ts'

/** The page has as many colours; parts behind them share the last. */
const colours = 6
/** Pixels of a bar. */
const thickness = 7

export function partChart(id: string, rows: readonly Row[], variants: readonly Named[]): Promise<Html> {
  const { unit, title } = rows[0]!.metric
  const bars = variants.flatMap((variant, row) =>
    rows.flatMap(({ of = '', cells }, part) => {
      const cell = cells[row]
      return isMeasured(cell)
        ? [{ ...inRow(variant, row), of, part, value: cell.median, colour: colourOf(part) }]
        : []
    }),
  )
  const y = variantAxis(variants)
  const x = valueAxis(bars.map(({ value }) => value), variants) // prettier-ignore
  return draw({
    id,
    title: `${title}, part by part`,
    description: `${bars.map(({ variant, of, value }) => `${variant} ${of} ${formatted(value)}`).join(', ')}.`,
    unit,
    labels: variants.map(({ name }) => name),
    step: rows.length * thickness + 12,
    layer: [
      {
        data: { values: bars },
        mark: { type: 'bar' },
        encoding: {
          y,
          yOffset: {
            field: 'part',
            type: 'ordinal',
            scale: { domain: rows.map((_, part) => part), paddingInner: 0.1 },
          },
          x: x('value'),
          color: { field: 'colour', type: 'nominal', scale: null, legend: null },
        },
      },
      variantNames(variants, y),
      remarks(rows, y),
    ],
  })
}

/** The colour of a part, as the page's style names it. */
export function colourOf(part: number): string {
  return `var(--part-${Math.min(part + 1, colours)})`
}
