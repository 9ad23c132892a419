/**
 * Standard output: tables for people, JSON for machines, colour on a terminal only. What is printed was often said by a
 * host, so all of it passes through harmless.ts here; `exec` alone passes bytes.
 */
import { stripVTControlCharacters, styleText } from 'node:util'
import Table from 'cli-table3'
import { harmless, harmlessLines, mostOfOurs, visibleLines } from '../inventory/harmless.ts'

type Style = Parameters<typeof styleText>[0]

/** Coloured where standard output is a terminal that wants it (NO_COLOR, FORCE_COLOR and TERM are respected). */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout, validateStream: true })
}

/** What `paint` makes, where it makes something. */
// eslint-disable-next-line no-control-regex -- it is what is meant
const paints = /(\u001b\[\d{1,2}m)/

/** Everything but overlab's own colours made harmless by `make`. */
function between(text: string, make: (part: string) => string): string {
  if (paint('bold', '') === '') return make(text)
  return text
    .split(paints)
    .map((part, index) => (index % 2 === 1 ? part : make(part)))
    .join('')
}

/** The terminal's columns, `most` at most; 80 where standard output is no terminal. */
export function width(most: number): number {
  return Math.max(40, Math.min(most, process.stdout.isTTY ? process.stdout.columns || 80 : 80))
}

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  readonly align?: 'left' | 'right'
  /** May be wrapped where the terminal is too narrow for all. */
  readonly wraps?: true
}

/** Between two columns. */
const gap = 2
/** No column is wrapped to less. */
const narrowest = 18

/**
 * A table without lines, its columns aligned: what `kubectl get` and `docker ps` print. One line a row, so that
 * `grep` and `awk` work; only a terminal too narrow for that gets the wrapping columns wrapped.
 */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  columnsOfTerminal = process.stdout.isTTY ? process.stdout.columns || 80 : Infinity,
): string {
  const cells = rows.map((row) => columns.map(({ value }) => between(value(row), harmless)))
  const natural = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((row) => stripVTControlCharacters(row[index]!).length)),
  )
  const widths = fit(
    natural,
    columns.map(({ wraps }) => wraps === true),
    columnsOfTerminal,
  )
  const drawn = new Table({
    head: columns.map(({ title }) => paint('bold', title)),
    colAligns: columns.map(({ align = 'left' }) => align),
    chars: {
      top: '', 'top-mid': '', 'top-left': '', 'top-right': '',
      bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
      left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' '.repeat(gap),
    }, // prettier-ignore
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  drawn.push(...cells.map((row) => row.map((cell, index) => wrapCell(cell, widths[index]!))))
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Takes from the widest wrapping column until all fit, or none can give any more. */
export function fit(natural: readonly number[], wraps: readonly boolean[], columns: number): number[] {
  const widths = [...natural]
  const total = () => widths.reduce((sum, one) => sum + one, 0) + gap * (widths.length - 1)
  while (total() > columns) {
    const most = Math.max(...widths.filter((one, index) => wraps[index] && one > narrowest))
    if (!Number.isFinite(most)) break
    widths[widths.findIndex((one, index) => wraps[index] && one === most)]!--
  }
  return widths
}

/** A coloured cell is short, and stays as it is. */
function wrapCell(cell: string, columns: number): string {
  return stripVTControlCharacters(cell) === cell ? wrap(cell, columns).join('\n') : cell
}

/** Lines of whole words, `columns` long at most; a longer word is cut, so that nothing of it is lost. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line ? `${line} ${word}` : word
    for (; line.length > columns; line = line.slice(columns)) lines.push(line.slice(0, columns))
  }
  return [...lines, line]
}

/** Two columns in 100 columns at most; the second is wrapped, and begins below the first where that is long. */
export function pairs(rows: readonly (readonly [string, string])[]): string[] {
  const left = Math.min(Math.max(...rows.map(([first]) => first.length)), Math.floor(width(100) / 2))
  return rows.flatMap(([first, second]) => {
    const [head = '', ...more] = wrap(second, width(100) - left - 4)
    const rest = more.map((line) => `${' '.repeat(left + 4)}${line}`)
    if (first.length > left) return [`  ${first}`, `${' '.repeat(left + 4)}${head}`, ...rest]
    return [`  ${first.padEnd(left)}  ${head}`, ...rest]
  })
}

/** Nothing is lost: what a terminal would act on is written as JSON writes it. */
export function printJson(value: unknown): void {
  process.stdout.write(`${jsonText(value)}\n`)
}

/** JSON leaves C1, bidi marks and separators as they are, and knows escapes for them. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(/[^\n\x20-\x7e]/g, (character) =>
    visibleLines(character) === character && !/[\ud800-\udfff]/.test(character)
      ? character
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

export function print(text: string): void {
  process.stdout.write(`${between(text, visibleLines)}\n`)
}

/** A line on standard error, or a few: what is wrong, or what is being done. */
export function complain(text: string): void {
  process.stderr.write(`overlab: ${harmlessLines(text, mostOfOurs)}\n`)
}
