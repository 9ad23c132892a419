/** show, ping and exec against a real lab of two machines; the command runs as a user runs it, as a process. */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Name } from '../../inventory/values.ts'
import { namespaceDriver } from '../../machines/namespace.ts'
import { fromRepository } from '../../tools/paths.ts'
import { buildLab } from './cli/lab.ts'

const lab = `cli${process.pid}` as Name
const underlay = `10.${100 + (process.pid % 100)}.${(process.pid >> 7) % 250}`
const folder = mkdtempSync(join(tmpdir(), 'overlab-cli-'))
const inventory = join(folder, 'lab.yaml')
const stack = 'test'
/** The first line of a verb. */
const first = `overlab: lab ${lab}, stack ${stack}\n`
/** A copy of the project, so that the repository gets no stack of a test's. */
const project = join(folder, 'project')
const command = join(project, 'cli', 'overlab.ts')
const parts =
  'cli experiments inventory machines modules overlay remote stacks tools package.json Pulumi.yaml'

beforeAll(async () => {
  writeFileSync(
    inventory,
    `lab:
  name: ${lab}
  underlay: ${underlay}.0/24
  overlay:
    Network: 10.96.0.0/16
    Backend: { Type: vxlan }
all:
  hosts:
    node[1:2]:
  vars: { pods: 1 }
`,
  )
  for (const part of parts.split(' ')) cpSync(fromRepository(part), join(project, part), { recursive: true })
  symlinkSync(fromRepository('node_modules'), join(project, 'node_modules'))
  writeFileSync(
    join(project, 'stacks', `Pulumi.${stack}.yaml`),
    `config:\n  overlab:inventory: ${inventory}\n`,
  )
  await buildLab(inventory)
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await namespaceDriver.deleteUnderlay(lab)
})

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function overlab(words: readonly string[], input = ''): Promise<Outcome> {
  const [verb, ...rest] = words
  const child = spawn(process.execPath, [command, verb!, '--stack', stack, ...rest], { cwd: project })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) =>
      resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    )
  })
}

async function json<T>(...words: string[]): Promise<T> {
  const { stdout } = await overlab([...words, '--json'])
  return JSON.parse(stdout) as T
}

test('ping: every host and pod reaches every host and pod', async () => {
  const { status, stdout, stderr } = await overlab(['ping'])
  expect({ status, stderr }).toEqual({ status: 0, stderr: first })
  expect(stdout).toMatch(/^RTT ms +node1 +node2 +node1-pod1 +node2-pod1$/m)
  expect(stdout).toMatch(/^12 of 12 pairs reach each other without loss$/m)
})

test('ping among one host and its pod', async () => {
  const reaches = await json<{ from: { name: string }; to: { name: string }; sent: number }[]>(
    'ping',
    'node2',
    '-c',
    '1',
  )
  expect(reaches.map(({ from, to, sent }) => [from.name, to.name, sent])).toEqual([
    ['node2', 'node2-pod1', 1],
    ['node2-pod1', 'node2', 1],
  ])
})

interface Answer {
  readonly host: string
  readonly entries?: readonly { readonly entry: string; readonly by: string }[]
  readonly error?: string
}

test.each([
  { kind: 'routes', mine: ['10.96.2.0/24 via 10.96.2.0 dev flannel.1 onlink'] },
  { kind: 'neighbours', mine: [/^10\.96\.2\.0 dev flannel\.1 lladdr [\da-f:]{17} PERMANENT$/] },
  { kind: 'fdb', mine: [new RegExp(`^[\\da-f:]{17} dev flannel\\.1 dst ${underlay}\\.2 self permanent$`)] },
  { kind: 'links', mine: [/^cni0 bridge /, /^flannel\.1 vxlan id 1 /, /^veth.* pod node1-pod1$/] },
  { kind: 'addresses', mine: [/^10\.96\.1\.1\/24 dev cni0/, /^10\.96\.1\.0\/32 dev flannel\.1/] },
  { kind: 'pods', mine: [/^node1-pod1 10\.96\.1\.2\/24 via 10\.96\.1\.1 dev cni0/] },
  { kind: 'sysctls', mine: ['net/ipv4/ip_forward = 1', /accept_ra = 0$/] },
  { kind: 'filters', mine: [] },
  { kind: 'peers', mine: [] },
])('show $kind tells what overlab put there', async ({ kind, mine }) => {
  const [answer] = await json<Answer[]>('show', kind, 'node1', '--mine')
  const entries = answer!.entries!.map(({ entry }) => entry)
  expect(entries).toHaveLength(mine.length)
  for (const [index, wanted] of mine.entries())
    if (typeof wanted === 'string') expect(entries[index]).toBe(wanted)
    else expect(entries[index]).toMatch(wanted)
})

test('show iptables: every rule of the plan is told to be overlab’s, a rule of somebody else is not', async () => {
  const plan = await json<Record<string, { state: { iptables: object } }>>('plan', 'node1')
  await overlab(['exec', 'node1', '--', 'iptables', '-A', 'FLANNEL-FWD', '-s', '10.9.0.0/16', '-j', 'DROP'])
  const [answer] = await json<Answer[]>('show', 'iptables', 'node1')
  await overlab(['exec', 'node1', '--', 'iptables', '-D', 'FLANNEL-FWD', '-s', '10.9.0.0/16', '-j', 'DROP'])
  expect(answer!.entries!.filter(({ by }) => by === 'overlab')).toHaveLength(
    Object.keys(plan['node1']!.state.iptables).length,
  )
  expect(answer!.entries!.filter(({ by }) => by !== 'overlab')).toMatchObject([
    { entry: 'filter -A FLANNEL-FWD -s 10.9.0.0/16 -j DROP', by: 'flanneld or a person' },
  ])
})

test('exec: arguments, input, both outputs and the status arrive as they are', async () => {
  const words = ['a b', "it's", '$HOME', '"q"', '', '*', '\\n', 'ä', '--stack', '-h']
  const printed = await overlab(['exec', 'node1', '--', 'printf', '<%s>', ...words])
  expect(printed).toEqual({ status: 0, stdout: words.map((word) => `<${word}>`).join(''), stderr: first })
  expect(await overlab(['exec', 'node2', '--', 'sh', '-c', 'cat; hostname >&2; exit 42'], 'in\nput')).toEqual(
    {
      status: 42,
      stdout: 'in\nput',
      stderr: `${first}node2\n`,
    },
  )
})

test('exec in a pod, collected', async () => {
  const { status, stdout } = await overlab([
    'exec',
    'node2-pod1',
    '--json',
    '--',
    'sh',
    '-c',
    'ip -br addr show eth0; exit 3',
  ])
  expect(status).toBe(3)
  expect(JSON.parse(stdout)).toMatchObject({
    host: 'node2',
    pod: 'node2-pod1',
    exitCode: 3,
    stdout: expect.stringContaining('10.96.2.2/24') as string,
  })
})

test('exec on a terminal is on a terminal', async () => {
  const line = `'${process.execPath}' '${command}' exec --stack ${stack} node1 -- sh -c 'tty; exit 4'`
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const status = await new Promise((resolve) => child.on('close', resolve))
  expect({ status, printed }).toEqual({
    status: 4,
    printed: expect.stringContaining('/dev/pts/') as string,
  })
})

test('Ctrl-C while it pings: status 130, and no ping is left', async () => {
  const child = spawn(process.execPath, [command, 'ping', '--stack', stack, '-c', '1000'], { cwd: project })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const closed = new Promise((resolve) => child.on('close', resolve))
  await expect.poll(() => pings(), { timeout: 30_000 }).toBeGreaterThan(0)
  child.kill('SIGINT')
  expect(await closed).toBe(130)
  expect(said).toBe(first)
  await expect.poll(() => pings(), { timeout: 30_000 }).toBe(0)
})

async function pings(): Promise<number> {
  const { stdout } = await overlab(['exec', 'node1', '--', 'sh', '-c', 'pgrep -x ping | wc -l'])
  return Number(stdout)
}

test('a host that is down: the others are shown, the reason is told, nothing is a zero', async () => {
  await namespaceDriver.powerCut(lab, 'node2' as Name)
  const down = 'node2: connect: its machine does not run'

  const shown = await overlab(['show', 'routes'])
  expect(shown).toMatchObject({
    status: 1,
    stderr: `${first}overlab: ${down}\n  ./overlab up --stack ${stack} boots it\n`,
  })
  expect(shown.stdout).toMatch(/^node1 .* overlab$/m)
  expect(await json<Answer[]>('show', 'routes')).toMatchObject([
    { host: 'node1' },
    { host: 'node2', error: `${down}\n  ./overlab up --stack ${stack} boots it` },
  ])

  const { status, stdout } = await overlab(['ping', '-c', '1'])
  expect(status).toBe(1)
  expect(stdout).toMatch(/^node1 +- +lost +\d+\.\d\d +lost$/m)
  expect(stdout).toMatch(/^node2-pod1 +\? +\? +\? +-$/m)
  expect(stdout).toContain(`not measured: ${down}\n`)

  expect(await overlab(['exec', 'node2-pod1', '--', 'true'])).toMatchObject({ status: 255, stdout: '' })
})
