/** Every sample as a point, the spread as a bar behind them, the median as a line with its number. */
import type { Html } from '../html.ts'
import { decimalsFor, formatted } from '../number.ts'
import { isMeasured, type Row } from '../../results/rows.ts'
import type { Named } from '../words.ts'
import { byClass, inRow, remarks, valueAxis, variantAxis, variantNames } from './axes.ts'
import { draw, labelGap } from './draw.ts'

export function dotChart(id: string, { metric, cells }: Row, variants: readonly Named[]): Promise<Html> {
  const { unit, title } = metric
  const decimals = decimalsFor(cells.filter(isMeasured).map(({ median }) => median))
  const measured = variants.flatMap((variant, row) => {
    const cell = cells[row]
    if (!isMeasured(cell)) return []
    const { low, high, median, samples } = cell
    return [{ ...inRow(variant, row), low, high, median, samples, label: formatted(median, decimals) }]
  })
  const y = variantAxis(variants)
  const x = valueAxis(
    measured.flatMap(({ low, high }) => [low, high]),
    variants,
    measured.map(({ label }) => label),
  )
  const spans = measured.map(({ samples: _, ...span }) => span)
  return draw({
    id,
    title: `${title}, variant by variant`,
    description: variants
      .map(({ name }, row) => {
        const cell = cells[row]
        const instead = cell && 'notMeasured' in cell ? 'not measured' : 'none'
        return `${name} ${measured.find((one) => one.row === row)?.label ?? instead}`
      })
      .join(', ')
      .concat(unit === '' ? ' (medians).' : ` (medians, ${unit}).`),
    unit,
    labels: variants.map(({ name }) => name),
    step: 27,
    layer: [
      {
        data: { values: spans },
        mark: { type: 'rule', strokeWidth: 9, opacity: 0.25, strokeCap: 'round' },
        encoding: { y, x: x('low'), x2: { field: 'high' }, color: byClass.color },
      },
      {
        data: {
          values: measured.flatMap(({ samples, label: _, ...span }) =>
            samples.map(({ value }) => ({ ...span, value })),
          ),
        },
        mark: { type: 'point', filled: true, size: 26, opacity: 0.6, strokeWidth: 0 },
        encoding: { y, x: x('value'), ...byClass },
      },
      {
        data: { values: spans },
        mark: { type: 'tick', thickness: 2, size: 17, color: 'var(--text)' },
        encoding: { y, x: x('median') },
      },
      {
        data: { values: spans },
        mark: { type: 'text', align: 'left', dx: labelGap, color: 'var(--text)' },
        encoding: { y, x: x('high'), text: { field: 'label', type: 'nominal' } },
      },
      variantNames(variants, y),
      remarks([{ metric, cells }], y),
    ],
  })
}
