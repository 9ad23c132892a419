/** The matrix as words: one cell, the legend, and a page's Markdown. Pure. */
import type { Cell, Heals, Survival } from '../results/survival.ts'

export type Tone = Heals | 'not applicable' | 'not measured'

export interface Told {
  readonly text: string
  readonly tone: Tone
}

/** `0`, `412 · 2.1 s · up`, `-`, `?`. */
export function cellText(cell: Cell | undefined): Told {
  if (!cell || 'notMeasured' in cell) return { text: '?', tone: 'not measured' }
  if ('notApplicable' in cell) return { text: '-', tone: 'not applicable' }
  const { lost, outageMs, heals } = cell
  if (heals === 'unharmed') return { text: '0', tone: heals }
  const end = { 'by itself': 'itself', 'by pulumi up': 'up', never: 'never' }[heals]
  return { text: `${lost} · ${(outageMs / 1000).toFixed(1)} s · ${end}`, tone: heals }
}

export const legend: readonly (readonly [string, string])[] = [
  ['0', 'no packet was lost'],
  ['412 · 2.1 s · itself', 'packets lost, the longest time one pair got no answer; then it healed by itself'],
  ['... · up', 'it did not heal while it was watched (the time says for how long); pulumi up healed it'],
  ['... · never', 'not even pulumi up healed it'],
  ['-', 'does not apply: there is nothing to strike'],
  ['?', 'was not measured'],
]

export function cellOf({ cells }: Pick<Survival, 'cells'>, fault: string, variant: string): Cell | undefined {
  return cells.find((cell) => cell.fault === fault && cell.variant === variant)
}

/** Of each fault what was found out, the variants with the same words together: `vxlan, udp`, `why`. */
export function reasons({ cells, variants }: Survival, fault: string): { variants: string; why: string }[] {
  const byWhy = new Map<string, string[]>()
  for (const { name } of variants) {
    const cell = cellOf({ cells }, fault, name)
    const why = cell && whyOf(cell)
    if (why) byWhy.set(why, [...(byWhy.get(why) ?? []), name])
  }
  return [...byWhy].map(([why, names]) => ({ variants: names.join(', '), why }))
}

function whyOf(cell: Cell): string | undefined {
  if ('notMeasured' in cell) return `not measured: ${cell.notMeasured}`
  return 'notApplicable' in cell ? cell.notApplicable : cell.because
}

/** The table, and below it what was done and found out, fault by fault. `lessonOf`: what is to be learnt from a fault. */
export function markdown(survival: Survival, lessonOf: (fault: string) => string = () => ''): string {
  const { faults, variants } = survival
  const rows = [
    ['', ...variants.map(({ name }) => `\`${name}\``)],
    ...faults.map(({ id, title }) => [
      title,
      ...variants.map(({ name }) => emphasis(cellText(cellOf(survival, id, name)))),
    ]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const [head, ...body] = rows
  return [
    line(head!),
    line(widths.map((width) => '-'.repeat(width))),
    ...body.map(line),
    '',
    ...faults.flatMap(({ id, title, what }) => [
      `### ${capital(title)}`,
      '',
      `\`${id}\`: ${what}`,
      '',
      ...(lessonOf(id) ? [lessonOf(id), ''] : []),
      ...reasons(survival, id).map(({ variants, why }) => `- ${variants}: ${why}.`),
      '',
    ]),
  ]
    .join('\n')
    .trimEnd()
}

function emphasis({ text, tone }: Told): string {
  return tone === 'by pulumi up' || tone === 'never' ? `**${text}**` : text
}

function capital(text: string): string {
  return /^(etcd|iptables|flanneld)/.test(text) ? text : text[0]!.toUpperCase() + text.slice(1)
}
