import { expect, test } from 'vitest'
import { numberOf, reportOf } from '../../cli/compare-report.ts'
import { forms, metricIds, metricsOf } from '../../experiments/compare/metrics.ts'
import type { Comparison, Sample } from '../../experiments/results/comparison.ts'
import { variants } from '../../experiments/variants/variant.ts'

const names = ['underlay', ...variants.map(({ name }) => name)]
/** A value for every metric, variant and round, but what is left out. */
const samples = names.flatMap((variant, at) =>
  metricIds.flatMap((metric, row) =>
    [1, 2, 3].flatMap((round): Sample[] => {
      if (variant === 'underlay' && row > 8) return []
      const place = { variant, metric, round }
      if (variant === 'udp' && metric.startsWith('udp'))
        return [{ ...place, notMeasured: 'node2-pod1: iperf3: nothing arrived' }]
      if (variant === 'vxlan' && metric === 'tcp-4' && round === 2)
        return [{ ...place, notMeasured: 'node1: iperf3: unable to connect to server: Connection refused' }]
      if (metric === 'entries')
        return [
          { ...place, value: 17 },
          { ...place, of: '10 hosts', value: 38 + at },
        ]
      return [
        { ...place, value: metric === 'mtu' ? 1450 : ((row + 1) * 10 + at) / 10 ** (row % 4) + round / 7 },
      ]
    }),
  ),
)
const compared: Parameters<typeof reportOf>[0] = {
  lab: 'lab',
  rounds: 3,
  variants: names.map((name) => ({ name })),
  metrics: metricsOf(forms.whole).map((metric) => ({ ...metric })) satisfies Comparison['metrics'],
  samples,
}

test.each([
  ['wide', Infinity],
  ['narrow', 80],
])('%s', (name, columns) =>
  expect(`${reportOf(compared, columns)}\n`).toMatchFileSnapshot(`compare/${name}.txt`),
)
test('no line is wider than the terminal', () => {
  for (const columns of [60, 80, 100, 132])
    for (const line of reportOf(compared, columns).split('\n'))
      expect(line.length).toBeLessThanOrEqual(columns)
})
test('from five rounds on it says which differ, with the interval', async () => {
  const values: Readonly<Record<string, readonly [rtt: number, tcp: number, lost: number]>> = {
    vxlan: [0.115, 4800, 0],
    'host-gw': [0.1, 5200, 0],
    udp: [0.09, 2400, 0],
    'vxlan-flanneld': [0.112, 4850, 560],
    'host-gw-flanneld': [0.101, 5150, 280],
    'udp-flanneld': [0.22, 150, 380],
  }
  const noise = [1, 1.04, 0.97, 1.02, 0.98]
  const metrics = ['rtt-p50', 'tcp-1', 'change-loss'] as const
  const file = {
    lab: 'lab',
    rounds: 5,
    variants: [...variants],
    metrics: compared.metrics.filter(({ id }) => metrics.some((one) => one === id)),
    samples: Object.entries(values).flatMap(([variant, of], at) =>
      metrics.flatMap((metric, index) =>
        noise.map((_, round): Sample => ({
          variant,
          metric,
          round: round + 1,
          value: of[index]! * noise[(round + at) % 5]!,
        })),
      ),
    ),
  }
  await expect(`${reportOf(file, Infinity)}\n`).toMatchFileSnapshot('compare/claims.txt')
  for (const line of reportOf(file, 60).split('\n')) expect(line.length).toBeLessThanOrEqual(60)
})
test('one round has no ranges, and claims nothing', () =>
  expect(
    `${reportOf({ ...compared, rounds: 1, samples: samples.filter(({ round }) => round === 1) }, Infinity)}\n`,
  ).toMatchFileSnapshot('compare/one-round.txt'))

test.each([
  [0, '0'],
  [1500, '1500'],
  [12345.6, '12346'],
  [345.67, '346'],
  [34.567, '34.6'],
  [3.4567, '3.46'],
  [0.12345, '0.123'],
  [0.0012345, '0.001'],
  [-3.4567, '-3.46'],
])('%d is told as %s', (value, text) => expect(numberOf(value)).toBe(text))
