import { expect, test } from 'vitest'
import { differenceOf, type Series } from '../../../experiments/results/difference.ts'

const series = (values: readonly (number | undefined)[]): Series => ({
  samples: values.flatMap((value, index) => (value === undefined ? [] : [{ round: index + 1, value }])),
})

test.each<[string, readonly (number | undefined)[], readonly (number | undefined)[], object]>([
  ['one sample each, far apart', [1800], [1000], { verdict: 'too few rounds', rounds: 1 }],
  ['four rounds', [18, 19, 18, 17], [10, 10, 11, 10], { verdict: 'too few rounds', rounds: 4 }],
  ['five rounds, but only four in common', [18, 19, 18, 17, undefined], [10, 10, 11, 10, 9], { verdict: 'too few rounds', rounds: 4 }],
  ['five rounds, clearly apart', [18, 19, 18, 17, 18], [10, 10, 11, 10, 9], { verdict: 'higher', rounds: 5 }],
  ['the same, the other way round', [10, 10, 11, 10, 9], [18, 19, 18, 17, 18], { verdict: 'lower', rounds: 5 }],
  // All five on one side: of two equals that happens in one case of sixteen.
  ['five on one side, but barely', [10.1, 14, 10.3, 12, 10.1], [10, 10, 10, 10, 10], { verdict: 'no difference found' }],
  ['noise', [8, 14, 9, 12, 10], [12, 9, 10, 8, 13], { verdict: 'no difference found' }],
  // The computer slows down from round to round; in each round one of the two is a tenth better.
  ['paired by round', [110, 88, 55, 44, 22.5], [100, 80, 50, 40, 20.3], { verdict: 'higher', rounds: 5 }],
  ['nothing lost against much lost, and once very much', [0, 0, 0, 0, 0], [561, 480, 6425, 520, 600], { verdict: 'lower', rounds: 5 }],
  ['nothing lost against little, and not every time', [0, 0, 0, 0, 0], [0, 1, 0, 2, 0], { verdict: 'no difference found' }],
  ['nothing against nothing', [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], { verdict: 'no difference found' }],
  ['always the same', [1500, 1500, 1500, 1500, 1500], [1450, 1450, 1450, 1450, 1450], { verdict: 'higher' }],
])('%s', (_, one, other, wanted) => expect(differenceOf(series(one), series(other))).toMatchObject(wanted)) // prettier-ignore

test('the ratio has the interval in it, and is turned with the two', () => {
  const [a, b] = [series([18, 19, 18, 17, 18]), series([10, 10, 11, 10, 9])]
  const [forth, back] = [differenceOf(a, b), differenceOf(b, a)]
  if (!('ratio' in forth) || !('ratio' in back)) throw new Error('no ratio')
  expect(forth.ratio.low).toBeLessThan(1.8)
  expect(forth.ratio.high).toBeGreaterThan(1.8)
  expect(back.ratio.middle).toBeCloseTo(1 / forth.ratio.middle, 10)
})

/** A small generator with the same numbers in every run; sums of twelve are nearly normal. */
function noise(seed: number): () => number {
  let state = seed
  const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  return () => Array.from({ length: 12 }, next).reduce((sum, one) => sum + one, -6)
}

test('of three hundred pairs of equals, on a busy computer, hardly one is told apart', () => {
  const draw = noise(7)
  const five = () => series(Array.from({ length: 5 }, () => Math.exp(0.4 * draw())))
  const told = Array.from({ length: 300 }, () => differenceOf(five(), five()).verdict)
  // 99 % are right; of so few rounds 98.
  expect(told.filter((verdict) => verdict !== 'no difference found').length).toBeLessThanOrEqual(12)
})

test('what is twice as much is found, on a quiet computer every time', () => {
  const draw = noise(11)
  const five = (factor: number) => series(Array.from({ length: 5 }, () => factor * Math.exp(0.05 * draw())))
  const told = Array.from({ length: 100 }, () => differenceOf(five(2), five(1)).verdict)
  expect(new Set(told)).toEqual(new Set(['higher']))
})
