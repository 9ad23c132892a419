/** A comparison as text: a column a variant, medians with the range below them, what is claimed, and what is missing. */
import { stripVTControlCharacters } from 'node:util'
import type { Comparison, Pairing } from '../experiments/results/comparison.ts'
import { confidence } from '../experiments/results/interval.ts'
import { pairingsOf } from '../experiments/results/pairings.ts'
import { isMeasured, rowsOf, type Cell, type Row } from '../experiments/results/rows.ts'
import { intervalWords, ratioNumber, whyNoClaim } from '../experiments/results/words.ts'
import { paint, wrap } from './output.ts'

/** Between two columns. */
const gap = '  '

/** Variants that do not fit beside each other get a table of their own below, with the same rows. */
export function reportOf(
  comparison: Pick<Comparison, 'lab' | 'rounds' | 'variants' | 'metrics' | 'samples'>,
  columns = process.stdout.isTTY ? process.stdout.columns || 80 : Infinity,
): string {
  const rows = rowsOf(comparison)
  const cells = comparison.variants.map(({ name }, index) => [
    name,
    ...rows.flatMap(({ cells }) => linesOf(cells[index]!)),
  ])
  const unclaimed = whyNoClaim(comparison.rounds)
  const legend =
    comparison.rounds > 1
      ? `median of ${comparison.rounds} rounds; below it the lowest and the highest${unclaimed ? '' : '; green: better than every other overlay'}`
      : 'one round'
  return [
    ...tablesOf(rows.map(titleOf), cells, columns),
    wrapped(legend, columns),
    ...(unclaimed ? [wrapped(unclaimed, columns)] : claimsOf(comparison, rows, columns)),
    ...notesOf(rows, comparison, columns),
  ].join('\n\n')
}

/** A column a variant, two lines a title; as many tables below each other as the width asks for. */
function tablesOf(titles: readonly string[], cells: readonly string[][], columns: number): string[] {
  const lines = titles.flatMap((title) => [title, ''])
  // A row of ranges that says nothing is left out: with one round there are none.
  const kept = lines.flatMap((title, at) => (title || cells.some((column) => column[at + 1]) ? [at + 1] : []))
  return blocksOf(['', ...lines], cells, columns).map((block) =>
    [0, ...kept]
      .map((at) =>
        block
          .map((column, index) => padded(column, at, index === 0))
          .join(gap)
          .trimEnd(),
      )
      .join('\n'),
  )
}

/** Static against flanneld: a column a backend, the ratio with its interval below it; empty where none has both. */
function claimsOf(comparison: Pick<Comparison, 'variants'>, rows: readonly Row[], columns: number): string[] {
  const pairings = pairingsOf(comparison, rows)
  const metrics = [...new Map(rows.map(({ metric }) => [metric.id, metric.title])).entries()].filter(([id]) =>
    pairings.some(({ metric }) => metric === id),
  )
  if (metrics.length === 0) return []
  const names = [...new Set(pairings.map(({ variant }) => variant))]
  const cells = names.map((name) => [
    name,
    ...metrics.flatMap(([id]) =>
      claimLines(pairings.find(({ metric, variant }) => metric === id && variant === name)),
    ),
  ])
  return [
    'Static against flanneld, round by round',
    ...tablesOf(metrics.map(([, title]) => title), cells, columns), // prettier-ignore
    wrapped(
      `ratio of the static variant to flanneld's; below it the interval in which it lies by a confidence of ${confidence * 100} %. Where that holds 1, no difference was found`,
      columns,
    ),
  ]
}

function claimLines(pairing: Pairing | undefined): [string, string] {
  if (!pairing) return [paint('dim', '-'), '']
  const { verdict, ratio } = pairing
  if (verdict === 'too few rounds' || verdict === 'no difference found')
    return [paint('dim', verdict), ratio ? paint('dim', intervalWords(ratio)) : '']
  return [`${ratio ? `${ratioNumber(ratio.middle)} ` : ''}${verdict}`, ratio ? paint('dim', intervalWords(ratio)) : ''] // prettier-ignore
}

function wrapped(text: string, columns: number): string {
  return wrap(text, Number.isFinite(columns) ? columns : 120).join('\n')
}

function titleOf({ metric, of }: Row): string {
  const unit = metric.unit && metric.unit !== 'entries' ? `, ${metric.unit}` : ''
  return of === undefined ? `${metric.title}${unit}` : `  ${of}`
}

/** The median, and the range. `?`: not measured, or not in every round; `-`: there is no such thing. */
function linesOf(cell: Cell): [string, string] {
  if (!isMeasured(cell)) return ['notMeasured' in cell ? paint('yellow', '?') : paint('dim', '-'), '']
  const { median, low, high, missed, standing } = cell
  const text = `${numberOf(median)}${missed.length > 0 ? paint('yellow', ' ?') : ''}`
  const ends = [numberOf(low), numberOf(high)]
  const range = ends[0] === ends[1] ? '' : ends.join('-')
  return [standing === 'best' ? paint('green', text) : text, range && paint('dim', range)]
}

/** Why samples are missing, each reason once; empty where none are. */
function reasonsOf(cell: Cell): readonly string[] {
  if (isMeasured(cell)) return [...new Set(cell.missed.map(({ why }) => why))]
  return 'notMeasured' in cell ? cell.notMeasured : []
}

/** Three digits that count; whole numbers as they are. */
export function numberOf(value: number): string {
  if (Number.isInteger(value)) return String(value)
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 3))
}

function widthOf(column: readonly string[]): number {
  return Math.max(...column.map((text) => stripVTControlCharacters(text).length))
}

function padded(column: readonly string[], at: number, left: boolean): string {
  const text = column[at]!
  const space = ' '.repeat(widthOf(column) - stripVTControlCharacters(text).length)
  return left ? text + space : space + text
}

/** As many columns beside the first as fit; at least one. */
function blocksOf(
  first: readonly string[],
  cells: readonly (readonly string[])[],
  columns: number,
): (readonly string[])[][] {
  const blocks: (readonly string[])[][] = []
  let room = 0
  for (const column of cells) {
    const width = gap.length + widthOf(column)
    if (blocks.length === 0 || width > room) {
      blocks.push([first])
      room = columns - widthOf(first)
    }
    blocks.at(-1)!.push(column)
    room -= width
  }
  return blocks
}

/** Each reason once, with where it holds. */
function notesOf(
  rows: readonly Row[],
  { variants }: Pick<Comparison, 'variants'>,
  columns: number,
): string[] {
  const places = new Map<string, Map<string, Set<string>>>()
  for (const { metric, cells } of rows)
    for (const [index, cell] of cells.entries())
      for (const reason of reasonsOf(cell)) {
        const names = places.get(reason) ?? new Map<string, Set<string>>()
        places.set(reason, names)
        names.set(metric.title, (names.get(metric.title) ?? new Set()).add(variants[index]!.name))
      }
  const lines = [...places].flatMap(([reason, titles]) => {
    const where = [...titles].map(([title, names]) => `${title} (${[...names].join(', ')})`).join('; ')
    return wrap(`? ${where}: ${reason}`, Number.isFinite(columns) ? columns : 120).map((line, index) =>
      index === 0 ? line : `  ${line}`,
    )
  })
  return lines.length > 0 ? [lines.join('\n')] : []
}
