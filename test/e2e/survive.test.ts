/** `overlab survive` for real, in a short form: on labs of its own, on the running one, and broken off in the middle. */
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { survival, type Cell, type Survival } from '../../experiments/results/survival.ts'
import { difference } from './fingerprint.ts'
import { dumpAll } from './support/kernel-dump.ts'
import { lostPairs, makeLab, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

const hosts = ['node1', 'node2']
let project: Project
let lab: TestLab

beforeAll(async () => {
  project = makeProject()
  lab = await makeLab(project, {
    backend: { Type: 'host-gw' },
    all: { hosts: { 'node[1:2]': null }, vars: { pods: 1 } },
  })
  await lab.up()
})
afterAll(async () => {
  try {
    await lab.destroy()
    expect(ofThisTest()).toEqual([])
  } finally {
    project.remove()
  }
})

/** The labs that are up, the test's own and those that survive made for it. */
function ofThisTest(): string[] {
  return existsSync('/run/overlab')
    ? readdirSync('/run/overlab').filter((name) => name.startsWith(lab.name))
    : []
}

function read(file: string): Survival {
  return survival.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** `kill-all udp-flanneld` -> `by pulumi up`, ... */
function verdicts({ cells }: Survival): Record<string, string> {
  const word = (cell: Cell) =>
    'heals' in cell
      ? cell.heals
      : 'notApplicable' in cell
        ? 'not applicable'
        : `not measured: ${cell.notMeasured}`
  return Object.fromEntries(cells.map((cell) => [`${cell.fault} ${cell.variant}`, word(cell)]))
}

/** The load's own, on the machines of the running lab. */
async function pings(): Promise<string[]> {
  return Promise.all(
    hosts.map((host) => lab.on(host, 'pgrep -x ping || :; ls /run/overlab-load 2>/dev/null || :')),
  )
}

test('in labs of its own: what kills udp by flanneld, and does not exist in a static lab', async () => {
  const file = join(project.folder, 'result.json')
  const words = ['--fault', 'kill-all', 'flush-fdb', '--backend', 'udp', 'vxlan', '--output', file]
  const { code, output } = await lab.overlab('survive', ...words)
  expect(code, output).toBe(0)
  const result = read(file)
  expect(verdicts(result)).toEqual({
    'kill-all vxlan': 'not applicable',
    'flush-fdb vxlan': 'by pulumi up',
    'kill-all udp': 'not applicable',
    'flush-fdb udp': 'not applicable',
    'kill-all vxlan-flanneld': 'unharmed',
    'flush-fdb vxlan-flanneld': 'by pulumi up',
    'kill-all udp-flanneld': 'by pulumi up',
    'flush-fdb udp-flanneld': 'not applicable',
  })
  const told = Object.fromEntries(
    result.cells.map((cell) => [`${cell.fault} ${cell.variant}`, 'because' in cell ? cell.because : '']),
  )
  expect(told['kill-all vxlan-flanneld']).toBe(
    'flanneld was gone on every host; every entry stayed in the kernel',
  )
  expect(told['flush-fdb vxlan']).toBe('1 FDB entry was gone on node2; pulumi up put them back')
  const fatal = result.cells.find((cell) => 'lost' in cell && cell.variant === 'udp-flanneld')!
  expect('pairs' in fatal && fatal.pairs.map(({ pair }) => pair).sort()).toEqual([
    'node1-pod1 -> node2-pod1',
    'node2-pod1 -> node1-pod1',
  ])
  expect(output).toMatch(/^flush-fdb +\d+ · \d+\.\d s · up +- +\d+ · \d+\.\d s · up +-$/m)
  expect(ofThisTest()).toEqual([lab.name])
  // The result can be shown again, and is no whole matrix to be kept for the report.
  expect((await lab.overlab('survive', '--from', file, '--markdown')).stdout).toContain(
    '### FDB entries flushed',
  )
  expect(existsSync(join(project.folder, '.overlab/results'))).toBe(false)
})

test('the running lab is as before, to the letter', async () => {
  const before = await dumpAll(lab, hosts)
  const faults = ['flush-iptables', 'nic-down', 'host-joins']
  const { code, stdout, output } = await lab.overlab('survive', '--here', '--json', '--fault', ...faults)
  expect(code, output).toBe(0)
  expect(verdicts(survival.parse(JSON.parse(stdout)))).toEqual({
    'flush-iptables host-gw': 'unharmed',
    'nic-down host-gw': 'by pulumi up',
    'host-joins host-gw': 'not applicable',
  })
  expect(difference(before, await dumpAll(lab, hosts))).toEqual([])
  expect((await pings()).join('')).toBe('')
})

/** Interrupts a run of `survive` at a moment of its own; its exit status. */
async function interruptedAt(moment: () => Promise<boolean>, ...words: string[]): Promise<unknown> {
  const child = project.start(lab.stack, 'survive', ...words)
  const ended = once(child, 'exit')
  await expect.poll(moment, { timeout: 60_000, interval: 100 }).toBe(true)
  child.kill('SIGINT')
  const [code] = (await ended) as [unknown]
  return code
}

test('Ctrl-C when the running lab has been struck: it is as before', async () => {
  const before = await dumpAll(lab, hosts)
  const route = 'ip -4 route show 10.244.1.0/24'
  const struck = async () => (await lab.on('node2', route)) === ''
  expect(await struck()).toBe(false)
  expect(await interruptedAt(struck, '--here', '--fault', 'nic-down')).toBe(130)
  expect(difference(before, await dumpAll(lab, hosts))).toEqual([])
  expect((await pings()).join('')).toBe('')
  expect(await lostPairs(lab)).toEqual([])
})

test('Ctrl-C in a lab of its own: nothing of it is left', async () => {
  const boots = () => Promise.resolve(ofThisTest().length > 1)
  const words = ['--fault', 'reboot', '--backend', 'host-gw', '--control', 'static']
  expect(await interruptedAt(boots, ...words)).toBe(130)
  expect(ofThisTest()).toEqual([lab.name])
})

// The last, since its links get new random MACs of their own.
test('a reboot takes all; pings that ended with the machine are not counted', async () => {
  const { code, stdout, output } = await lab.overlab('survive', '--here', '--json', '--fault', 'reboot')
  expect(code, output).toBe(0)
  const [cell] = survival.parse(JSON.parse(stdout)).cells
  if (!cell || !('heals' in cell)) throw new Error(stdout)
  expect(cell.heals).toBe('by pulumi up')
  expect(cell.pairs.map(({ pair }) => pair)).toEqual(['node1-pod1 -> node2-pod1'])
  expect(cell.because).toMatch(/all that was in the kernel was gone on node2.*from node2-pod1 ended with it/)
  expect(await lostPairs(lab)).toEqual([])
})

test('wrong words are told, and nothing is done', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--fault', 'kill-al'], /there is no fault kill-al; did you mean kill-all\?/],
    [['--backend', 'vxlam'], /there is no backend vxlam; did you mean vxlan\?/],
    [['--control', 'flaneld'], /there is no control flaneld; did you mean flanneld\?/],
    [['--here', '--backend', 'udp'], /leave out --backend/],
    [['--json', '--markdown'], /exclude each other/],
    [['--from', '/no/such/file'], /can not be read/],
  ]
  for (const [words, said] of cases) {
    const { code, output } = await lab.overlab('survive', ...words)
    expect(output).toMatch(said)
    expect(output).not.toMatch(/\bat .*\.ts:/)
    expect(code).not.toBe(0)
  }
})
