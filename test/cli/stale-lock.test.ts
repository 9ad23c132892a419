/** Which lock of Pulumi's local state may be taken away: that of a process of this machine that is no more. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { stackOf } from '../../cli/pulumi.ts'
import { staleLock } from '../../cli/stale-lock.ts'

const dead = spawnSync('true').pid
const here = hostname()
const of = (pid: number, hostname = here) =>
  JSON.stringify({ pid, hostname, username: 'root', timestamp: '2026-01-01T00:00:00Z' })

test.each([
  { name: 'no lock', locks: [], pid: undefined },
  { name: 'a dead process', locks: [of(dead)], pid: dead },
  { name: 'a living process', locks: [of(process.pid)], pid: undefined },
  { name: 'a living process of another user', locks: [of(1)], pid: undefined },
  { name: 'a dead and a living one', locks: [of(dead), of(process.pid)], pid: undefined },
  { name: 'another machine', locks: [of(dead, `${here}-not`)], pid: undefined },
  { name: 'a file that is being written', locks: ['{"pid": 1'], pid: undefined },
  { name: 'a file of another form', locks: ['[]', of(dead)], pid: undefined },
])('$name', ({ locks, pid }) => {
  const state = mkdtempSync(join(tmpdir(), 'overlab-cli-'))
  onTestFinished(() => rmSync(state, { recursive: true }))
  const folder = join(state, '.pulumi', 'locks', 'organization', 'overlab', 'dev')
  mkdirSync(folder, { recursive: true })
  for (const [index, lock] of locks.entries()) writeFileSync(join(folder, `${index}.json`), lock)
  expect(staleLock('dev', state)).toBe(pid)
  expect(staleLock('other', state)).toBeUndefined()
})

test.each([
  { args: ['up', '--stack', 'udp'], stack: 'udp' },
  { args: ['up', '-s', 'udp', '--yes'], stack: 'udp' },
  { args: ['up', '--stack=udp'], stack: 'udp' },
  { args: ['up', '-sudp'], stack: 'udp' },
  { args: ['up', '--skip-preview'], stack: undefined },
])('$args works on $stack', ({ args, stack }) => expect(stackOf(args)).toBe(stack))
