import { expect, test } from 'vitest'
import { decimalsFor, formatted, listed, percent, times } from '../../../experiments/report/number.ts'

const plain = (text: string) => text.replaceAll('\u202f', '_')

test.each([
  [
    [0.082, 0.152, 0.381],
    ['0.082', '0.152', '0.381'],
  ],
  [
    [12_440.4, 290.1],
    ['12_440', '290'],
  ],
  [
    [1500, 1450],
    ['1_500', '1_450'],
  ],
  [
    [9.8, 12.34],
    ['9.8', '12.3'],
  ],
  [
    [0, 0.5],
    ['0.00', '0.50'],
  ],
  [[0], ['0']],
  [[], []],
  [
    [1_234_567, 0.5],
    ['1_234_567', '0.5'],
  ],
  // No measured value is rounded to nothing.
  [
    [0.0042, 41.44],
    ['0.0042', '41.44'],
  ],
  [[-1234.5], ['\u22121_235']],
])('%j', (values, texts) => {
  const decimals = decimalsFor(values)
  expect(values.map((value) => plain(formatted(value, decimals)))).toEqual(texts)
})

test.each([
  [9.0552, '9.1 ×'],
  [12.4, '12 ×'],
  [128, '130 ×'],
])('%d times', (ratio, text) => expect(times(ratio)).toBe(text))

test.each([
  [0.829, '83_%'],
  [0.0034, '0.34_%'],
  [1, '100_%'],
])('%d as a share', (share, text) => expect(plain(percent(share))).toBe(text))

test('a list', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed)).toEqual(['', 'a', 'a and b', 'a, b and c'])
})
