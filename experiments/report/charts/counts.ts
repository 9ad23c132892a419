/** A metric that was measured for several counts of hosts: how it grows. One row a variant, a point a count. */
import type { Html } from '../html.ts'
import { formatted } from '../number.ts'
import { hostCount, isMeasured, type Row } from '../../results/rows.ts'
import type { Named } from '../words.ts'
import { byClass, inRow, remarks, valueAxis, variantAxis, variantNames } from './axes.ts'
import { draw, plotWidth, textWidth } from './draw.ts'

export function countChart(id: string, rows: readonly Row[], variants: readonly Named[]): Promise<Html> {
  const names = variants.map(({ name }) => name)
  const { unit, title } = rows[0]!.metric
  const lines = variants.map((variant, row) => pointsOf(variant, row, rows))
  const points = lines.flat()
  const values = points.map(({ value }) => value)
  const y = variantAxis(variants)
  const x = valueAxis(values, variants, points.slice(-1).map(({ hosts }) => String(hosts))) // prettier-ignore
  const pixels = plotWidth(names) / Math.max(1, ...values)
  return draw({
    id,
    title: `${title}, for counts of hosts`,
    description: `${points
      .map(({ variant, hosts, value }) => `${variant} ${formatted(value)} for ${hosts} hosts`)
      .join(', ')}.`,
    unit,
    labels: names,
    step: 36,
    layer: [
      {
        data: {
          values: lines.flatMap(([first, ...more]) => {
            const last = more.at(-1)
            return first && last ? [{ ...first, end: last.value }] : []
          }),
        },
        mark: { type: 'rule', strokeWidth: 2, opacity: 0.4 },
        encoding: { y, x: x('value'), x2: { field: 'end' }, color: byClass.color },
      },
      {
        data: { values: points },
        mark: { type: 'point', filled: true, size: 44, opacity: 1, strokeWidth: 0 },
        encoding: { y, x: x('value'), ...byClass },
      },
      {
        data: { values: lines.flatMap((line) => labelled(line, pixels)) },
        mark: { type: 'text', align: 'left', dx: -3, dy: -11, color: 'var(--text)' },
        encoding: { y, x: x('value'), text: { field: 'label', type: 'nominal' } },
      },
      variantNames(variants, y),
      remarks(rows, y),
    ],
  })
}

type Point = ReturnType<typeof pointsOf>[number]

/** From the fewest hosts to the most. */
function pointsOf(variant: Named, row: number, rows: readonly Row[]) {
  return rows.flatMap(({ of = '', cells }) => {
    const cell = cells[row]
    const hosts = hostCount(of)
    return isMeasured(cell) && hosts !== undefined
      ? [{ ...inRow(variant, row), value: cell.median, hosts }]
      : []
  })
}

/** A count that has no room behind the one before stands beside it: `3, 10`. */
function labelled(points: readonly Point[], pixels: number): (Point & { label: string })[] {
  const labels: (Point & { label: string })[] = []
  for (const point of points) {
    const before = labels.at(-1)
    if (before && (point.value - before.value) * pixels < textWidth([`${before.label}  `]))
      before.label = `${before.label}, ${point.hosts}`
    else labels.push({ ...point, label: String(point.hosts) })
  }
  return labels
}
