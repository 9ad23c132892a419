/** The survival matrix on a terminal. */
import { stripVTControlCharacters } from 'node:util'
import type { Survival } from '../experiments/results/survival.ts'
import { cellOf, cellText, legend, reasons, type Tone } from '../experiments/survive/matrix.ts'
import { controls } from '../experiments/variants/variant.ts'
import { paint, pairs, table, width, wrap } from './output.ts'

const styles: Readonly<Record<Tone, Parameters<typeof paint>[0]>> = {
  unharmed: 'green',
  'by itself': 'yellow',
  'by pulumi up': 'red',
  never: ['bold', 'red'],
  'not applicable': 'dim',
  'not measured': 'magenta',
}

/** The matrix, in two tables where the terminal is too narrow for one; what the words mean; what was found out. */
export function textOf(result: Survival): string {
  const one = matrixOf(result, result.variants)
  const fits =
    !process.stdout.isTTY ||
    Math.max(...one.split('\n').map((line) => stripVTControlCharacters(line).length)) <=
      process.stdout.columns
  const tables = fits
    ? [one]
    : controls
        .map((control) => result.variants.filter((variant) => variant.control === control))
        .filter((some) => some.length > 0)
        .map((some) => matrixOf(result, some))
  return [
    ...tables.flatMap((text) => [text, '']),
    ...pairs(legend),
    '',
    ...result.faults.flatMap(({ id, title }) => [
      paint('bold', title),
      ...reasons(result, id).flatMap(({ variants, why }) =>
        wrap(`${variants}: ${why}`, width(120) - 4).map(
          (line, index) => `${index === 0 ? '  ' : '    '}${line}`,
        ),
      ),
    ]),
  ].join('\n')
}

function matrixOf(result: Survival, some: Survival['variants']): string {
  return table(
    [
      { title: 'FAULT', value: ({ id }: Survival['faults'][number]) => id },
      ...some.map(({ name }) => ({
        title: name,
        value: ({ id }: Survival['faults'][number]) => {
          const { text, tone } = cellText(cellOf(result, id, name))
          return paint(styles[tone], text)
        },
        align: 'right' as const,
      })),
    ],
    result.faults,
    Infinity,
  )
}
