/** What the bench prints: tables of Markdown, so that documentation takes them as they are. Pure. */

/** A title, and what stands below it. */
export type Section = readonly [title: string, text: string]

/** The first column to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column]!.length)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

export function sections(all: readonly Section[]): string {
  return all.map(([title, text]) => `### ${title}\n\n${text}`).join('\n\n')
}

/** With so many digits behind the point as tell one run from another. */
export function seconds(ms: number, digits = 2): string {
  return (ms / 1000).toFixed(digits)
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)
}

/** Three digits that count. */
export function three(value: number): string {
  return String(Number(value.toPrecision(3)))
}
