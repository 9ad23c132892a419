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

const texts = (file: Comparison) => ofComparison(file).map(({ text }) => text.replaceAll('\u202f', ' '))

test('other numbers, other sentences', () => {
  expect(texts(scaled(comparisonFile(), 'vxlan', 0.5))).toContainEqual(
    expect.stringMatching(/^static vxlan carries (49|50|51) % of what flanneld's vxlan does\.$/),
  )
  expect(texts(scaled(comparisonFile(), 'vxlan', 1.3))).toContainEqual(
    expect.stringMatching(
      /^Of the static overlays, vxlan \(ratio 0\.\d+ to 1\.\d+\) comes nearest to the throughput of the bare underlay\.$/,
    ),
  )
})

test.each([1, 3, 4])('of %i rounds nothing is claimed', (rounds) => {
  const file = comparisonFile()
  const samples = file.samples.filter(({ round }) => round <= rounds)
  expect(ofComparison({ ...file, rounds, samples })).toEqual([])
})

test('one short round on a busy computer: what it seems to say is no finding', () => {
  // As it was measured at a load of 20; both vxlan use the same path of the kernel.
  const busy: readonly (readonly [variant: string, tcp: number, cpu: number])[] = [
    ['underlay', 5756, 2.87],
    ['vxlan', 4426, 3.1],
    ['vxlan-flanneld', 2459, 7.4],
  ]
  const file = comparisonFile()
  const samples = busy.flatMap(([variant, tcp, cpu]) => [
    { variant, metric: 'tcp-1', round: 1, value: tcp },
    { variant, metric: 'cpu-per-gigabyte', round: 1, value: cpu },
  ])
  const one = { ...file, rounds: 1, samples }
  expect(ofComparison(one)).toEqual([])
  expect(rowsOf(one).flatMap(({ cells }) => cells.filter((cell) => 'standing' in cell))).toEqual([])
})

test('what the noise hides is no finding: the interval is told', () => {
  const noisy = [0.6, 1.5, 0.9, 1.3, 0.7]
  const file = comparisonFile()
  const samples = file.samples.map((sample) =>
    'value' in sample && sample.variant === 'vxlan' && sample.metric === 'tcp-1'
      ? { ...sample, value: sample.value * noisy[sample.round - 1]! }
      : sample,
  )
  expect(texts({ ...file, samples })).toContainEqual(
    expect.stringMatching(
      /^vxlan \(ratio 0\.\d+ to \d\.\d+\) and host-gw \(.*\): no difference in throughput found between static and flanneld's\.$/,
    ),
  )
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
