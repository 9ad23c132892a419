import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { percentile, summary } from '../../../experiments/results/statistics.ts'

const samples = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), {
  minLength: 1,
})

test.each([
  [[3], 50, 3],
  [[1, 2], 50, 1.5],
  [[9, 1, 5], 50, 5],
  [[1, 2, 3, 4, 5], 99, 4.96],
  [[1, 2, 3, 4, 5], 0, 1],
  [[1, 2, 3, 4, 5], 100, 5],
])('of %j the %i. percentile is %d', (values, percent, wanted) =>
  expect(percentile(values, percent)).toBeCloseTo(wanted, 10),
)

test('no sample has no percentile and no summary', () => {
  expect(() => percentile([], 50)).toThrow(RangeError)
  expect(summary([])).toBeUndefined()
})

test('between the lowest and the highest, rising, and no matter in which order', () => {
  fc.assert(
    fc.property(samples, fc.nat(100), fc.nat(100), (values, a, b) => {
      const [low, high] = [percentile(values, Math.min(a, b)), percentile(values, Math.max(a, b))]
      expect(low).toBeLessThanOrEqual(high + 1e-6)
      expect(low).toBeGreaterThanOrEqual(Math.min(...values))
      expect(high).toBeLessThanOrEqual(Math.max(...values))
      expect(percentile(values.toReversed(), a)).toBe(percentile(values, a))
    }),
  )
})

test('half of the samples are not above the median, half are not below it', () => {
  fc.assert(
    fc.property(samples, (values) => {
      const { median, count } = summary(values)!
      expect(count).toBe(values.length)
      expect(values.filter((value) => value <= median).length * 2).toBeGreaterThanOrEqual(values.length)
      expect(values.filter((value) => value >= median).length * 2).toBeGreaterThanOrEqual(values.length)
    }),
  )
})
