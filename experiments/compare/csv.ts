/** A comparison's samples as CSV (RFC 4180), one a line. Pure. */
import type { Comparison } from '../results/comparison.ts'

const columns = ['variant', 'metric', 'of', 'unit', 'round', 'value', 'not_measured'] as const

export function csvOf({ metrics, samples }: Pick<Comparison, 'metrics' | 'samples'>): string {
  const units = new Map(metrics.map(({ id, unit }) => [id, unit]))
  const rows = samples.map(({ variant, metric, round, of = '', ...reading }) => [
    variant,
    metric,
    of,
    units.get(metric) ?? '',
    String(round),
    'value' in reading ? String(reading.value) : '',
    'notMeasured' in reading ? reading.notMeasured : '',
  ])
  return [columns, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('')
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
