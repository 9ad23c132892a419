/** From what was measured to what is said of it. */
import { describe, expect, test } from 'vitest'
import { makerOf } from './leftovers.ts'
import { ratios, ratioText, summaryRow, verdict } from './ratio.ts'
import { usageOf } from './usage.ts'

const rounds = (...values: (number | undefined)[]) =>
  new Map(values.flatMap((value, round) => (value === undefined ? [] : [[round, value] as const])))

describe('two sides', () => {
  test('a ratio is one of the same round', () =>
    expect(ratioText(ratios(rounds(2, undefined, 9), rounds(1, 5, 3)))).toBe('2.5 (2 to 3)'))
  test('one round has no range', () => expect(ratioText(ratios(rounds(3), rounds(2)))).toBe('1.5'))
  test('no round with both: not measured', () => {
    const none = ratios(rounds(2), rounds(undefined, 1))
    expect([ratioText(none), verdict(none, { at: 'most', bound: 1 })]).toEqual(['not measured', '?'])
  })
  test.each([
    [[1, 1, 2], 'most', 1.5, 'yes'],
    [[1, 2, 2], 'most', 1.5, 'within the rounds'],
    [[2, 2, 2], 'most', 1.5, 'no'],
    [[1, 2, 2], 'least', 1.5, 'yes'],
    [[1, 1, 2], 'least', 1.5, 'within the rounds'],
    [[1, 1, 1], 'least', 1.5, 'no'],
  ] as const)('%j at %s %d: %s', (values, at, bound, met) =>
    expect(verdict(ratios(rounds(...values), rounds(1, 1, 1)), { at, bound })).toBe(met),
  )
})

test('one round has no range; none was not measured', () => {
  expect(summaryRow('a', [7], String, 8)).toEqual(['a', '7', '-', 'at most 8', 'yes'])
  expect(summaryRow('a', [], String, 8)).toEqual(['a', 'not measured', '-', 'at most 8', '?'])
  expect(summaryRow('a', [1, 3], String)).toEqual(['a', '2', '1 to 3', '-', '-'])
})

test('what a process uses', () => {
  const status = 'Name:\tqemu-system-x86\nVmPeak:\t  900000 kB\nVmHWM:\t  265000 kB\nVmRSS:\t  264000 kB\n'
  const stat =
    '4711 (qemu) (x86)) S 1 4711 4711 0 -1 4194560 5044 0 0 0 1150 75 0 0 20 0 11 0 9571 1267404800 7402 184'
  expect(usageOf(status, stat)).toEqual({ memory: 264000 * 1024, peak: 265000 * 1024, cpu: 12.25 })
})

test.each([
  ['bench4711x10', 4711],
  ['bench4711servers', 4711],
  ['bench4711-x-vxlan', 4711],
  ['bench-4711-image', 4711],
  ['bench4711', undefined],
  ['bench', undefined],
  ['benchmark4711x', undefined],
  ['mybench4711x3', undefined],
  ['bench-dp.json', undefined],
])('whose is %s', (name, pid) => expect(makerOf(name)).toBe(pid))
