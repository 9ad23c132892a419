/** `overlab compare` in its short form, on real labs; nothing of it stays. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { metricIds } from '../../experiments/compare/metrics.ts'
import { comparison, type Comparison } from '../../experiments/results/comparison.ts'
import { runInSandbox } from './sandbox.ts'
import { makeLab, say, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

let project: Project
let lab: TestLab
beforeAll(async () => {
  project = makeProject()
  lab = await makeLab(project, { backend: { Type: 'vxlan' }, all: { hosts: { 'node[1:3]': null } } })
})
afterAll(() => project?.remove())

/** No lab, no stack and no file but the results. */
function nothingStays({ name: own }: TestLab): void {
  const labs = existsSync('/run/overlab') ? readdirSync('/run/overlab') : []
  expect(labs.filter((name) => name.startsWith(`${own}-x-`))).toEqual([])
  expect(readdirSync(join(project.folder, '.overlab', 'scratch'))).toEqual([])
  const found = join(project.folder, '.overlab', 'found')
  expect(existsSync(found) ? readdirSync(found) : []).toEqual([])
  expect(readdirSync(join(project.folder, 'stacks')).filter((file) => file.includes('-x-'))).toEqual([])
}

test('two variants and the baseline: every metric; MTUs and headers are the known ones', async () => {
  const csv = join(project.folder, 'samples.csv')
  const { stdout, output, code } = await lab.overlab(
    'compare',
    'vxlan',
    'udp-flanneld',
    '--quick',
    '--force',
    '--csv',
    csv,
  )
  say(`compare --quick, two variants:\n${stdout}`)
  expect(code, output).toBe(0)
  const file = join(project.folder, '.overlab', 'results', 'comparison.json')
  const result = comparison.parse(JSON.parse(readFileSync(file, 'utf8')))
  expect(result.variants.map(({ name }) => name)).toEqual(['underlay', 'vxlan', 'udp-flanneld'])
  expect(result.metrics.map(({ id }) => id)).toEqual([...metricIds])
  const of = (variant: string, metric: string, part?: string) => valueOf(result, variant, metric, part)

  expect(['underlay', 'vxlan', 'udp-flanneld'].map((name) => of(name, 'mtu'))).toEqual([1500, 1450, 1472])
  expect(['underlay', 'vxlan', 'udp-flanneld'].map((name) => of(name, 'header'))).toEqual([0, 50, 28])
  for (const name of ['underlay', 'vxlan', 'udp-flanneld'])
    for (const metric of ['rtt-p50', 'rtt-p99', 'tcp-1', 'tcp-4', 'udp-rate', 'cpu-per-gigabyte'])
      expect(of(name, metric), `${name} ${metric}`).toBeGreaterThan(0)
  // The kernel holds what was planned, entry by entry.
  expect(of('vxlan', 'entries')).toBe(of('vxlan', 'entries', '3 hosts'))
  expect(of('vxlan', 'entries', '50 hosts')).toBe(of('vxlan', 'entries', '10 hosts') + 3 * 40)
  for (const name of ['vxlan', 'udp-flanneld'])
    for (const metric of ['build', 'join']) expect(of(name, metric), `${name} ${metric}`).toBeGreaterThan(0)
  expect(of('vxlan', 'change-loss')).toBeGreaterThanOrEqual(0)
  // Its packets go through the process: with it they end.
  expect(of('udp-flanneld', 'death-loss')).toBeGreaterThan(50)
  expect(of('udp-flanneld', 'cpu-per-gigabyte', 'flanneld sending')).toBeGreaterThan(0)
  expect(
    result.samples.filter(({ variant, metric }) => variant === 'vxlan' && metric === 'death-loss'),
  ).toEqual([])

  expect(result.provenance.versions).toMatchObject({ iperf3: expect.any(String), flanneld: '0.28.10' })
  expect(result.provenance.offloads['vxlan']).toMatchObject({
    'eth0 tcp-segmentation-offload': expect.any(Boolean),
  })
  expect(result.variants[1]!.svg).toContain('<svg')
  // Of one round nobody is told apart; no variant has both controls here.
  expect(result.pairings).toEqual([])
  expect(stdout).toMatch(/^One round was measured: .*none is claimed/m)
  expect(output).toMatch(/overlab: a fifth took \d+ (s|min); the rest takes some \d+ (s|min)/)
  expect(readFileSync(csv, 'utf8').split('\r\n')).toHaveLength(result.samples.length + 2)
  nothingStays(lab)
})

test('labs of VMs, each with a kernel of its own; flanneld has none there', async () => {
  const vms = await makeLab(project, {
    backend: { Type: 'vxlan' },
    all: { hosts: { 'node[1:2]': { machine: 'qemu' } } },
  })
  const refused = await vms.overlab('compare', '--quick', '--force')
  expect(refused.code).not.toBe(0)
  expect(refused.output).toContain('choose variants without flanneld: vxlan, host-gw, udp')

  const metric = 'entries,cpu-per-gigabyte'
  const { output, code } = await vms.overlab('compare', 'udp', '--quick', '--force', '--metric', metric)
  say(`compare --quick, udp between VMs:\n${output}`)
  expect(code, output).toBe(0)
  const file = join(project.folder, '.overlab', 'results', 'comparison.json')
  const result = comparison.parse(JSON.parse(readFileSync(file, 'utf8')))
  expect(result.provenance.machines).toMatchObject({ driver: 'qemu', hosts: 2 })
  const of = (variant: string, metric: string, part?: string) => valueOf(result, variant, metric, part)
  // By FOU: one host more is one route more.
  expect(of('udp', 'entries')).toBe(of('udp', 'entries', '3 hosts') - 1)
  expect(of('udp', 'cpu-per-gigabyte')).toBeGreaterThan(0)
  nothingStays(vms)
})

function valueOf({ samples }: Comparison, variant: string, metric: string, part?: string): number {
  const found = samples.filter(
    (sample) => sample.variant === variant && sample.metric === metric && sample.of === part,
  )
  expect(found, `${variant} ${metric} ${part ?? ''}`).toHaveLength(1)
  const [sample] = found
  if (!sample || !('value' in sample)) throw new Error(`${variant} ${metric}: ${sample?.notMeasured}`)
  return sample.value
}

test('without iperf3, and with two hosts: what was not measured is said with its reason; the rest is measured', async () => {
  lab.describe({
    backend: { Type: 'vxlan' },
    all: { hosts: { 'node[1:2]': null }, vars: { bootstrap: [{ run: 'rm -f "$(command -v iperf3)"' }] } },
  })
  const words = [
    'compare',
    'host-gw',
    '--quick',
    '--force',
    '--metric',
    'tcp-1,join',
    '-m',
    'rtt-p50',
  ] as const
  const json = await lab.overlab(...words, '--json')
  expect(json.code, json.output).toBe(1)
  const { samples } = comparison.parse(JSON.parse(json.stdout))
  expect(
    samples.map(({ variant, metric, ...rest }) => [
      variant,
      metric,
      'value' in rest ? 'ok' : rest.notMeasured,
    ]),
  ).toEqual([
    ['host-gw', 'join', 'the inventory has no third host with a pod'],
    ['underlay', 'rtt-p50', 'ok'],
    ['host-gw', 'rtt-p50', 'ok'],
    ['underlay', 'tcp-1', 'node2: iperf3 server: iperf3 is not installed'],
    ['host-gw', 'tcp-1', 'node2: iperf3 server: iperf3 is not installed'],
  ])
  nothingStays(lab)
})

test('a lab that can not be built: every cell of its variant says why', async () => {
  const vars = { bootstrap: [{ run: 'exit 3' }] }
  lab.describe({ backend: { Type: 'vxlan' }, all: { hosts: { 'node[1:2]': null }, vars } })
  const { code, stdout, output } = await lab.overlab(
    'compare',
    'vxlan',
    '-m',
    'rtt-p50,build',
    '--quick',
    '--force',
    '--json',
  )
  expect(code, output).toBe(1)
  const { samples } = comparison.parse(JSON.parse(stdout))
  expect(samples.map(({ variant, metric }) => `${variant} ${metric}`)).toEqual([
    'vxlan build',
    'underlay rtt-p50',
    'vxlan rtt-p50',
  ])
  for (const sample of samples.filter(({ variant }) => variant === 'vxlan'))
    expect(sample).toMatchObject({
      notMeasured: expect.stringMatching(/pulumi up: failed: Process exited with status 3/),
    })
  nothingStays(lab)
})

test.each([
  [['vxlam'], /there is no variant vxlam: did you mean vxlan\?/],
  [['--metric', 'rtt,tcp-1'], /there is no metric rtt: use one of rtt-p50/],
  [['--rounds', '0'], /Give 1 to 100/],
  [
    ['--output', '/nowhere/a.json'],
    /\/nowhere\/a.json can not be written: its folder does not exist; choose another --output/,
  ],
  [['--csv', '/proc'], /\/proc can not be written: it is a folder; choose another --csv/],
])('%j is refused before anything is built', async (words, says) => {
  const { code, output } = await lab.overlab('compare', ...words)
  expect([code, output]).toEqual([2, expect.stringMatching(says)])
  expect(output).not.toMatch(/^ {4}at /m)
})

test('Ctrl-C leaves nothing, and what kill -9 left goes with the next run', async () => {
  const { code, printed } = await runInSandbox(join(import.meta.dirname, 'compare', 'clean.ts'))
  say(printed.trim())
  expect(printed).toMatch(/nothing left over\n$/)
  expect(code).toBe(0)
})
