import { expect, test } from 'vitest'
import { intervalWords, ratioNumber, whyNoClaim } from '../../../experiments/results/words.ts'

test.each([
  [0.9, '0.90'],
  [9.052, '9.05'],
  [12.34, '12.3'],
  [128.4, '128'],
  [0.0512, '0.051'],
  [1, '1.00'],
  // On which side of 1 it is, is what a reader looks for.
  [1.002, '1.002'],
  [0.9996, '0.9996'],
])('%d', (ratio, text) => expect(ratioNumber(ratio)).toBe(text))

test('an interval', () => expect(intervalWords({ low: 0.9, high: 1.3 })).toBe('0.90 to 1.30'))

test('fewer than five rounds claim nothing', () => {
  expect(whyNoClaim(1)).toMatch(/^One round was measured: .*--rounds 5/)
  expect(whyNoClaim(4)).toMatch(/^4 rounds were measured/)
  expect(whyNoClaim(5)).toBeUndefined()
})
