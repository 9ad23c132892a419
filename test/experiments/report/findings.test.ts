import { expect, test } from 'vitest'
import { comparisonFindings, survivalFindings, type Finding } from '../../../experiments/report/findings.ts'
import { rowsOf } from '../../../experiments/results/rows.ts'
import type { Comparison } from '../../../experiments/results/comparison.ts'
import type { Survival } from '../../../experiments/results/survival.ts'
import { comparisonFile, survivalFile } from './files.ts'

const said = (findings: readonly Finding[]) =>
  findings
    .map(
      ({ subject, text, evidence }) =>
        `${subject ? `${subject}: ` : ''}${text}${evidence ? `\n  ${evidence}` : ''}\n`,
    ) // prettier-ignore
    .join('')
    .replaceAll('\u202f', ' ')
const ofComparison = (file: Comparison) => comparisonFindings(file, rowsOf(file))

test('a whole comparison', async () => {
  await expect(said(ofComparison(comparisonFile()))).toMatchFileSnapshot('golden/comparison-findings.txt')
})

test('a whole matrix', async () => {
  await expect(said(survivalFindings(survivalFile()))).toMatchFileSnapshot('golden/survival-findings.txt')
})

/** The file with each variant's TCP samples multiplied. */
function scaled(file: Comparison, variant: string, factor: number): Comparison {
  return {
    ...file,
    samples: file.samples.map((sample) =>
      'value' in sample && sample.variant === variant && sample.metric === 'tcp-1'
        ? { ...sample, value: sample.value * factor }
        : sample,
    ),
  }
}

test('other numbers, other sentences', () => {
  const texts = (file: Comparison) => ofComparison(file).map(({ text }) => text.replaceAll('\u202f', ' '))
  expect(texts(scaled(comparisonFile(), 'vxlan', 0.5))).toContain(
    "static vxlan carries 50 % of what flanneld's vxlan does.",
  )
  expect(texts(scaled(comparisonFile(), 'vxlan', 1.2))).toContain(
    'Of the static overlays, vxlan (94 %) comes nearest to the throughput of the bare underlay.',
  )
})

test('samples that nearly meet are neither told apart nor the same', () => {
  // host-gw's lowest is then just above the highest of flanneld's.
  const file = scaled(comparisonFile(), 'host-gw', 1.12)
  const told = ofComparison(file).filter(({ evidence }) => evidence?.startsWith('TCP'))
  expect(told.map(({ text }) => text).join()).toContain('vxlan: no difference')
  expect(told.map(({ text }) => text).join()).not.toMatch(/host-gw.*flanneld/)
})

test('what was not measured is not spoken of', () => {
  const file = comparisonFile()
  expect(ofComparison({ ...file, samples: [] })).toEqual([])
  expect(ofComparison({ ...file, metrics: [] })).toEqual([])
  const onlyStatic = file.samples.filter(({ variant }) => !variant.endsWith('flanneld'))
  expect(ofComparison({ ...file, samples: onlyStatic }).map(({ text }) => text)).toEqual([
    expect.stringMatching(/^Of the static overlays/),
  ])
  const matrix: Survival = survivalFile()
  expect(survivalFindings({ ...matrix, cells: [] })).toEqual([])
  const never = matrix.cells.map((cell) =>
    cell.variant === 'vxlan' ? { variant: cell.variant, fault: cell.fault, notMeasured: 'gone' } : cell,
  )
  expect(said(survivalFindings({ ...matrix, cells: never }))).not.toMatch(/\bvxlan(?!-)/)
})
