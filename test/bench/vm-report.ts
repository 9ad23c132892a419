/** What was found of labs of VMs, as tables. Pure. */
import { backends } from '../../experiments/variants/variant.ts'
import { roundsOf, titleOf } from './compared.ts'
import type { PowerCut } from './power-cut.ts'
import { medianText, ratios, ratioText, summaryRow } from './ratio.ts'
import { megabytes, seconds, table, type Section } from './table.ts'
import { metrics, type Build, type Vms } from './vms.ts'

/** What is promised: ms from the image to pods that answer, bytes of a VM's memory. */
const wanted = { whole: 40_000, memory: 300e6 }

export function vmSections({ accelerator, builds, cuts, network }: Vms): Section[] {
  const how = `${accelerator.name.toUpperCase()}: ${accelerator.why}`
  return [
    [`Three VMs from the image to pods that answer (${how})`, buildTable(builds)],
    ["A VM's power is cut, and nobody runs overlab", cutTable(cuts)],
    ['Between two VMs, by backend', networkTable(network)],
  ]
}

const inSeconds = (ms: number): string => seconds(ms, 1)

function buildTable(builds: readonly Build[]): string {
  const times: readonly (readonly [string, (build: Build) => number, number?])[] = [
    ['from the image to pods that answer, s', ({ up, answers }) => up + answers, wanted.whole],
    ['pulumi up, s', ({ up }) => up],
    ['in it: the VMs boot, all at once, s', ({ boot }) => boot],
    ['in it: SSH connections, the look at the hosts, the overlay, s', ({ overlay }) => overlay],
    ['after it: until every pod has answered, s', ({ answers }) => answers],
  ]
  const most = (value: (vm: Build['vms'][number]) => number) =>
    builds.map(({ vms }) => Math.max(...vms.map(value)))
  return table(
    ['', 'median', 'range', 'wanted', 'met'],
    [
      ...times.map(([title, value, bound]) => summaryRow(title, builds.map(value), inSeconds, bound)),
      summaryRow(
        'memory of the largest VM (its qemu, resident), MB',
        most(({ memory }) => memory),
        megabytes,
        wanted.memory,
      ),
      summaryRow(
        'the most that one has had so far, MB',
        most(({ peak }) => peak),
        megabytes,
        wanted.memory,
      ),
      summaryRow(
        'CPU time of the busiest VM by then, s',
        most(({ cpu }) => cpu),
        (value) => value.toFixed(1),
      ),
    ],
  )
}

function cutTable(cuts: readonly PowerCut[]): string {
  const answered = cuts.flatMap(({ ssh, answer }) =>
    typeof answer === 'number' && ssh !== undefined ? [{ ssh, answer }] : [],
  )
  const silent = cuts.flatMap(({ answer }) => (typeof answer === 'number' ? [] : [answer.notMeasured]))
  const lacking = cuts.flatMap(({ answer, lacks }) =>
    typeof answer === 'number' && lacks.length > 0
      ? [`lacking: ${lacks.slice(0, 5).join(', ')}${lacks.length > 5 ? ', ...' : ''}`]
      : [],
  )
  const times: readonly (readonly [string, readonly number[]])[] = [
    ['power cut to the first answered ping of its pod, s', answered.map(({ answer }) => answer)],
    ["power cut to SSH's answer (the VM's boot), s", cuts.flatMap(({ ssh }) => ssh ?? [])],
    [
      "from SSH's answer to the pod's, s (below 0: the pod was first)",
      answered.map((one) => one.answer - one.ssh),
    ],
  ]
  const rows = table(
    ['', 'median', 'range'],
    [
      ...times.map(([title, values]) => summaryRow(title, values, inSeconds).slice(0, 3)),
      ['the data plane came back by itself', `${answered.length} of ${cuts.length}`, '-'],
      ['and wholly, as planned', `${answered.length - lacking.length} of ${cuts.length}`, '-'],
    ],
  )
  const notes = [...new Set([...silent, ...lacking])].map((note) => `- ${note}`)
  return [rows, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n')
}

function networkTable(compared: Vms['network']): string {
  return table(
    ['', 'pods', 'hosts, without overlay', 'ratio, round by round'],
    backends.flatMap((backend) =>
      metrics.map((metric) => {
        const pods = roundsOf(compared, backend, metric)
        const hosts = roundsOf(compared, 'underlay', metric)
        return [
          `${backend}: ${titleOf(compared, metric)}`,
          medianText(pods.values()),
          medianText(hosts.values()),
          ratioText(ratios(pods, hosts)),
        ]
      }),
    ),
  )
}
