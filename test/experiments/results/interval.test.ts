import fc from 'fast-check'
import { expect, test } from 'vitest'
import { intervalOf, quantileT } from '../../../experiments/results/interval.ts'

// Student's t at 99.5 %, as tables have it.
test.each([
  [4, 4.604],
  [5, 4.032],
  [6, 3.707],
  [9, 3.25],
  [19, 2.861],
  [99, 2.626],
])('t of %i degrees', (degrees, wanted) =>
  expect(Math.abs(quantileT(0.995, degrees) / wanted - 1)).toBeLessThan(0.02),
)

test('of what never varies it is a point', () =>
  expect(intervalOf([3, 3, 3, 3, 3])).toEqual({ middle: 3, low: 3, high: 3 }))

test('one sample has none', () => expect(() => intervalOf([1])).toThrow(RangeError))

test('it holds the mean, is the same every time, and reaches beyond what was drawn by Math.random', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 12 }),
      (samples) => {
        const { low, middle, high } = intervalOf(samples)
        expect(low).toBeLessThanOrEqual(middle)
        expect(high).toBeGreaterThanOrEqual(middle)
        expect(intervalOf(samples)).toEqual({ low, middle, high })
      },
    ),
    { numRuns: 50 },
  )
})

test('of five it is nearly the interval of the t distribution', () => {
  const samples = [9.1, 10.4, 9.8, 11.2, 9.5]
  const { middle, low, high } = intervalOf(samples)
  const deviation = Math.sqrt(samples.reduce((sum, value) => sum + (value - middle) ** 2, 0) / 4)
  const half = (4.604 * deviation) / Math.sqrt(5)
  expect((middle - low) / half).toBeGreaterThan(0.8)
  expect((middle - low) / half).toBeLessThan(1.2)
  expect((high - middle) / half).toBeGreaterThan(0.8)
  expect((high - middle) / half).toBeLessThan(1.2)
})
