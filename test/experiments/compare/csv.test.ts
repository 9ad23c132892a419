import { expect, test } from 'vitest'
import { csvOf } from '../../../experiments/compare/csv.ts'
import type { Comparison, Metric, Sample } from '../../../experiments/results/comparison.ts'

const metric = (id: string, better: Metric['better']): Metric => ({
  id,
  title: id,
  unit: 'ms',
  better,
  how: '',
})
const variants = [{ name: 'underlay' }, { name: 'vxlan' }, { name: 'udp' }]
const value = (variant: string, id: string, round: number, number: number, of?: string): Sample => ({
  variant,
  metric: id,
  round,
  value: number,
  ...(of === undefined ? {} : { of }),
})
const one: Pick<Comparison, 'variants' | 'metrics' | 'samples'> = {
  variants,
  metrics: [
    metric('rtt', 'lower'),
    metric('tcp', 'higher'),
    metric('header', 'neither'),
    metric('cpu', 'lower'),
  ],
  samples: [
    value('underlay', 'rtt', 1, 0.01),
    ...[1, 2, 3].map((round) => value('vxlan', 'rtt', round, round)),
    value('udp', 'rtt', 1, 5),
    { variant: 'udp', metric: 'rtt', round: 2, notMeasured: 'node1: ping: none of 60 was answered' },
    value('vxlan', 'tcp', 1, 100),
    { variant: 'udp', metric: 'tcp', round: 1, notMeasured: 'iperf3 is "not" there, yet' },
    value('vxlan', 'header', 1, 50),
    value('udp', 'header', 1, 28),
    value('vxlan', 'cpu', 1, 3),
    value('vxlan', 'cpu', 1, 1, 'softirq'),
  ],
}

test('CSV: every sample, reasons quoted', () => {
  const lines = csvOf(one).split('\r\n')
  expect(lines).toHaveLength(one.samples.length + 2)
  expect(lines.slice(0, 2)).toEqual([
    'variant,metric,of,unit,round,value,not_measured',
    'underlay,rtt,,ms,1,0.01,',
  ])
  expect(lines).toContain('udp,tcp,,ms,1,,"iperf3 is ""not"" there, yet"')
  expect(lines).toContain('vxlan,cpu,softirq,ms,1,1,')
})
