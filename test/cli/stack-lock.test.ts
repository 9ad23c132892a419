/** Locks of Pulumi's local state: that of a dead process of this machine is taken away, of any other somebody is named. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { stackOf } from '../../cli/pulumi.ts'
import { freeStack, holderOf, locksOf } from '../../cli/stack-lock.ts'
import { livingProcess } from '../../tools/process.ts'

const dead = spawnSync('true').pid
const here = hostname()
const longAgo = '2026-01-01T00:00:00Z'
const of = (pid: number, { host = here, since = new Date().toISOString() } = {}) =>
  JSON.stringify({ pid, hostname: host, username: 'root', timestamp: since })

function stateWith(locks: readonly string[]) {
  const state = mkdtempSync(join(tmpdir(), 'overlab-cli-'))
  onTestFinished(() => rmSync(state, { recursive: true }))
  const folder = join(state, '.pulumi', 'locks', 'organization', 'overlab', 'dev')
  mkdirSync(folder, { recursive: true })
  for (const [index, lock] of locks.entries()) writeFileSync(join(folder, `${index}.json`), lock)
  return { state, folder }
}

/** A process that has ended, and whose parent never asks. */
async function zombie(): Promise<number> {
  // Not before the shell, which would ask, has become another program.
  const ends = 'until grep -q sleep /proc/$$/comm; do :; done'
  const parent = spawn('sh', ['-c', `(${ends}) & echo $!; exec sleep 600`])
  onTestFinished(() => void parent.kill('SIGKILL'))
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once('data', (text: Buffer) => resolve(Number(text.toString()))),
  )
  while (!/^State:\sZ/m.test(stateOf(pid))) await new Promise((resolve) => setTimeout(resolve, 10))
  return pid
}
const stateOf = (pid: number) => spawnSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8' }).stdout

test.each([
  { name: 'a dead process', locks: [of(dead)], left: 0, gone: 1 },
  { name: 'a living process', locks: [of(process.pid)], left: 1, gone: 0 },
  { name: 'a living process of another user', locks: [of(1)], left: 1, gone: 0 },
  {
    name: 'a process that got the number later',
    locks: [of(process.pid, { since: longAgo })],
    left: 0,
    gone: 1,
  },
  { name: 'a dead and a living one', locks: [of(dead), of(process.pid)], left: 1, gone: 1 },
  { name: 'another machine', locks: [of(dead, { host: `${here}-not` })], left: 1, gone: 0 },
  { name: 'a file that is being written', locks: ['{"pid": 1'], left: 1, gone: 0 },
  { name: 'a file of another form', locks: ['[]', of(dead)], left: 1, gone: 1 },
])('$name: $gone taken away', async ({ locks, left, gone }) => {
  const { state, folder } = stateWith(locks)
  const said: string[] = []
  const free = freeStack('dev', (text) => said.push(text), { state, patienceMs: 0 })
  if (left > 0) await expect(free).rejects.toThrow(/^the stack dev is locked/)
  else await free
  expect(readdirSync(folder)).toHaveLength(left)
  expect(said).toHaveLength(gone)
  expect(locksOf('other', state)).toEqual({ dead: [], held: [] })
})

test('a zombie is dead', async () => {
  const pid = await zombie()
  const { state } = stateWith([of(pid)])
  expect(livingProcess(pid)).toBeUndefined()
  expect(locksOf('dev', state)).toMatchObject({ dead: [{ owner: { pid } }], held: [] })
})

test('a process that is about to end is waited for', async () => {
  const child = spawn('sleep', ['600'])
  onTestFinished(() => void child.kill('SIGKILL'))
  const { state, folder } = stateWith([of(child.pid!)])
  const free = freeStack('dev', () => {}, { state, patienceMs: 600_000 })
  child.kill('SIGKILL')
  await free
  expect(readdirSync(folder)).toEqual([])
})

test('a run that begins while a dead lock is taken away keeps its own', async () => {
  const { state, folder } = stateWith([of(dead)])
  const own = join(folder, 'own.json')
  await freeStack('dev', () => writeFileSync(own, of(process.pid)), { state, patienceMs: 0 }).catch(() => {})
  expect(existsSync(own)).toBe(true)
})

test('the holder is named: command, pid, user, host, since when, and what to do', () => {
  const child = spawn('bash', ['-c', 'exec -a /usr/bin/pulumi sleep 600'])
  onTestFinished(() => void child.kill('SIGKILL'))
  const words = () => livingProcess(child.pid!)?.words ?? []
  while (words()[0] !== '/usr/bin/pulumi') spawnSync('sleep', ['0.01'])
  const since = new Date(Date.now() + 1000)
  const say = (locks: readonly string[]) => holderOf('dev', stateWith(locks).state)?.message
  const time = since.toLocaleString('sv')
  expect(say([of(child.pid!, { since: since.toISOString() })])).toBe(
    `the stack dev is locked by pulumi (pid ${child.pid}, root@${here}, since ${time}), which still runs; wait until it has ended, or stop it: kill -INT ${child.pid}`,
  )
  expect(say([of(7, { host: 'far', since: since.toISOString() })])).toBe(
    `the stack dev is locked by a run on another machine (pid 7, root@far, since ${time}); wait until it has ended; where it is no more: npx pulumi cancel --yes --stack dev`,
  )
  expect(say(['{'])).toMatch(
    /^the stack dev is locked, and its lock can not be read; where no run is at work on it: rm .*0\.json$/,
  )
  expect(say([])).toBeUndefined()
})

test('what a process is: name, words, start', () => {
  const own = livingProcess(process.pid)!
  expect(own.words.length).toBeGreaterThan(0)
  expect(livingProcess(dead)).toBeUndefined()
  expect(livingProcess(0)).toBeUndefined()
})

test.each([
  { args: ['up', '--stack', 'udp'], stack: 'udp' },
  { args: ['up', '-s', 'udp', '--yes'], stack: 'udp' },
  { args: ['up', '--stack=udp'], stack: 'udp' },
  { args: ['up', '-sudp'], stack: 'udp' },
  { args: ['up', '--skip-preview'], stack: undefined },
])('$args works on $stack', ({ args, stack }) => expect(stackOf(args)).toBe(stack))
