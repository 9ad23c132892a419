import { describe, expect, test } from 'vitest'
import { rowsOf } from '../../../experiments/results/rows.ts'
import type { Comparison, Metric, Sample } from '../../../experiments/results/comparison.ts'
import { provenance } from '../report/files.ts'

const speed: Metric = { id: 'speed', title: 'Speed', unit: 'Mbit/s', better: 'higher', how: 'by hand' }

/** One metric, the variants that its samples name, the baseline first. */
function of(samples: readonly Sample[], metric: Metric = speed): Comparison {
  const names = [...new Set(['underlay', ...samples.map(({ variant }) => variant)])]
  return {
    kind: 'overlab.comparison',
    version: 1,
    provenance,
    lab: 'lab',
    rounds: 3,
    variants: names.map((name) => ({ name })),
    metrics: [metric],
    samples: [...samples],
  }
}
const values = (variant: string, numbers: readonly number[], part?: string): Sample[] =>
  numbers.map((value, index) => ({
    variant,
    metric: 'speed',
    round: index + 1,
    value,
    ...(part && { of: part }),
  }))
const missing = (variant: string, round: number, why: string): Sample => ({
  variant,
  metric: 'speed',
  round,
  notMeasured: why,
})
const standings = (comparison: Comparison) =>
  rowsOf(comparison).map(({ cells }) => cells.map((cell) => ('median' in cell ? (cell.standing ?? '') : '-')))

describe('a cell', () => {
  test('has median, spread, and its rounds in order', () => {
    const [row] = rowsOf(of(values('underlay', [30, 10, 20]).toReversed()))
    expect(row!.cells[0]).toEqual({
      median: 20,
      low: 10,
      high: 30,
      samples: [
        { round: 1, value: 30 },
        { round: 2, value: 10 },
        { round: 3, value: 20 },
      ],
      missed: [],
    })
  })

  test('that was not measured says why, each reason once, and is no zero', () => {
    const samples = [missing('vxlan', 1, 'no iperf3'), missing('vxlan', 2, 'no iperf3')]
    expect(rowsOf(of(samples))[0]!.cells).toEqual([{ absent: true }, { notMeasured: ['no iperf3'] }])
  })

  test('that was measured in some rounds keeps the others’ reasons', () => {
    const [row] = rowsOf(of([...values('vxlan', [5, 7]), missing('vxlan', 3, 'host gone')]))
    expect(row!.cells[1]).toMatchObject({ median: 6, missed: [{ round: 3, why: 'host gone' }] })
  })
})

/** Five rounds of nearly the same. */
const five = (variant: string, value: number, part?: string) =>
  values(
    variant,
    [0.99, 1.01, 1, 1.02, 0.98].map((factor) => factor * value),
    part,
  )

describe('the best', () => {
  test.each<[string, Metric['better'], string[]]>([
    ['more is better', 'higher', ['', '', '', 'best']],
    ['less is better', 'lower', ['', 'best', '', '']],
    ['neither', 'neither', ['', '', '', '']],
  ])('%s', (_, better, expected) => {
    const samples = [
      // The baseline would win, and takes no part.
      ...five('underlay', better === 'lower' ? 1 : 99),
      ...five('udp', 11),
      ...five('vxlan', 29),
      ...five('host-gw', 36),
    ]
    expect(standings(of(samples, { ...speed, better }))).toEqual([expected])
  })

  test('of one round, and of four, is nobody, however far apart they are', () => {
    for (const rounds of [1, 4]) {
      const some = (variant: string, value: number) => five(variant, value).slice(0, rounds)
      const samples = [...some('udp', 1), ...some('vxlan', 500), ...some('host-gw', 1000)]
      expect(standings(of(samples))).toEqual([['-', '', '', '']])
    }
  })

  test('of noise is nobody', () => {
    const samples = [
      ...values('vxlan', [30, 12, 25, 41, 18]),
      ...values('host-gw', [22, 35, 14, 28, 33]),
      ...values('udp', [15, 27, 31, 20, 24]),
    ]
    expect(standings(of(samples))).toEqual([['-', '', '', '']])
  })

  test('those between which no difference is found share it, if another is worse', () => {
    const samples = [
      ...values('vxlan', [30, 29, 31, 30, 29]),
      ...values('host-gw', [29, 30, 30, 31, 30]),
      ...five('udp', 10),
    ]
    expect(standings(of(samples))).toEqual([['-', 'level', 'level', '']])
  })

  test('whoever was not measured often enough is not judged', () => {
    const samples = [...five('vxlan', 30), ...five('udp', 10), ...five('host-gw', 5).slice(1)]
    expect(standings(of(samples))).toEqual([['-', 'level', '', '']])
  })

  test('of equals is nobody', () =>
    expect(standings(of([...five('a', 5), ...five('b', 5)]))).toEqual([['-', '', '']]))
})

describe('parts', () => {
  test('the whole first; what a variant has no part of is absent, not unmeasured', () => {
    const samples = [
      ...values('vxlan', [1], 'softirq'),
      ...values('vxlan', [3]),
      ...values('udp', [2], 'softirq'),
      ...values('udp', [4], 'flanneld'),
      missing('host-gw', 1, 'no /proc'),
    ]
    const rows = rowsOf(of(samples))
    expect(rows.map((row) => row.of)).toEqual([undefined, 'softirq', 'flanneld'])
    expect(rows[2]!.cells.slice(1)).toEqual([
      { absent: true },
      expect.objectContaining({ median: 4 }),
      { notMeasured: ['no /proc'] },
    ])
  })

  test('a process is not ranked, a count of hosts is; counts come by size', () => {
    const rows = standings(
      of([
        ...five('vxlan', 6, '10 hosts'),
        ...five('udp', 2, '10 hosts'),
        ...five('vxlan', 3, '3 hosts'),
        ...five('udp', 1, '3 hosts'),
      ]),
    )
    expect(rows).toEqual([
      ['-', 'best', ''],
      ['-', 'best', ''],
    ])
    expect(standings(of([...five('a', 6, 'sshd'), ...five('b', 2, 'sshd')]))).toEqual([['-', '', '']])
  })
})
