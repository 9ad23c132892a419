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

describe('the best', () => {
  test.each<[string, Metric['better'], string[]]>([
    ['more is better', 'higher', ['', '', 'level', 'best']],
    ['less is better', 'lower', ['', 'best', '', '']],
    ['neither', 'neither', ['', '', '', '']],
  ])('%s', (_, better, expected) => {
    const samples = [
      // The baseline would win, and takes no part.
      ...values('underlay', [better === 'lower' ? 1 : 99]),
      ...values('udp', [10, 11, 12]),
      ...values('vxlan', [28, 29, 31]),
      ...values('host-gw', [30, 32, 34]),
    ]
    expect(standings(of(samples, { ...speed, better }))).toEqual([expected])
  })

  test('of equals is nobody, of a tie for the best both', () => {
    expect(standings(of([...values('a', [5]), ...values('b', [5])]))).toEqual([['-', '', '']])
    expect(standings(of([...values('a', [5]), ...values('b', [5]), ...values('c', [1])]))).toEqual([
      ['-', 'best', 'best', ''],
    ])
  })
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
        ...values('vxlan', [6], '10 hosts'),
        ...values('udp', [2], '10 hosts'),
        ...values('vxlan', [3], '3 hosts'),
        ...values('udp', [1], '3 hosts'),
      ]),
    )
    expect(rows).toEqual([
      ['-', 'best', ''],
      ['-', 'best', ''],
    ])
    expect(standings(of([...values('a', [6], 'sshd'), ...values('b', [2], 'sshd')]))).toEqual([['-', '', '']])
  })
})
