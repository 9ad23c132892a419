/** The command as a process: exit statuses, streams, and what a user who mistypes reads. */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { pulumiBinary } from '../../tools/environment.ts'
import { cleanClone } from '../tools/clone.ts'

// A process a case, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

const repository = join(import.meta.dirname, '..', '..')

interface Place {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly folder?: string
}

function overlab(words: readonly string[], { folder = repository, cwd = folder, env = {} }: Place = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(folder, 'cli', 'overlab.ts'), ...words],
    {
      cwd,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PULUMI_STACK: 'vxlan', ...env },
      encoding: 'utf8',
    },
  )
  return { status, stdout, stderr }
}

test.each([
  { words: ['shwo'], stderr: "overlab: unknown command 'shwo'; did you mean show?\n" },
  { words: ['show', 'rotes'], stderr: 'overlab: there is no kind rotes; did you mean routes?\n' },
  { words: ['plan', 'nod1', '-q'], stderr: /^overlab: there is no host nod1; / },
  {
    words: ['exec', '-q', 'node1pod1', '--', 'ls'],
    stderr: 'overlab: there is no host or pod node1pod1; did you mean node1-pod1?\n',
  },
  {
    words: ['exec', 'node1', '--json'],
    stderr: 'overlab: --json collects the output of a command; ./overlab exec node1 --json -- COMMAND\n',
  },
  {
    words: ['inventory', 'lits', '--json'],
    stderr: 'overlab: there is no host lits; did you mean list?\n',
  },
  {
    words: ['exec', 'node1', 'ls', 'a b', '--json'],
    stderr: "overlab: the command stands behind --; ./overlab exec node1 -- ls 'a b'\n",
  },
  {
    words: ['exec', 'node1', 'ls', '--', '-l'],
    stderr: 'overlab: the command stands behind --; ./overlab exec node1 -- ls -l\n',
  },
  {
    words: ['exec', 'node1', 'node2', '--', 'uptime'],
    stderr:
      'overlab: exec runs a command on one host or pod; for several: for at in node1 node2; do ./overlab exec "$at" -- uptime; done\n',
  },
  {
    words: ['exec', '-q', 'node1,node2-pod1', '--', 'echo', 'a b'],
    stderr:
      'overlab: exec runs a command on one host or pod; for several: for at in node1 node2-pod1; do ./overlab exec "$at" -- echo \'a b\'; done\n',
  },
  {
    words: ['exec', '-q', 'all', '--', 'uptime'],
    stderr: /; for several: for at in node1 node2 node3; do /,
  },
  {
    words: ['explain', '9'],
    stderr: 'overlab: there is no question 9; use one of 1, 2, 3, 4, 5, 6, 7, 8\n',
  },
  { words: ['shell'], stderr: "overlab: unknown command 'shell'; did you mean ./overlab exec HOST|POD?\n" },
  { words: ['down'], stderr: "overlab: unknown command 'down'; did you mean ./overlab destroy?\n" },
  {
    words: ['plan', '--stack', '--json'],
    stderr: /^overlab: there is no stack --json: /,
  },
  {
    words: ['plan', '--stack', 'vxlna'],
    stderr: 'overlab: there is no stack vxlna: stacks/Pulumi.vxlna.yaml is missing; did you mean vxlan?\n',
  },
])('$words: status 2, one line, nothing on standard output', ({ words, stderr }) => {
  const outcome = overlab(words)
  expect(outcome).toMatchObject({ status: 2, stdout: '' })
  expect(outcome.stderr).toMatch(stderr)
  expect(outcome.stderr.split('\n')).toHaveLength(2)
})

test('--version is that of package.json', () => {
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    version: string
  }
  expect(overlab(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
})

test.each([[[]], [['--help']], [['help']], [['show', '--help']], [['help', 'show']], [['up', '--help']]])(
  'help %j: status 0, and no colour in a pipe',
  (words) => {
    const { status, stdout, stderr } = overlab(words)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^Examples:$/m)
    expect(stdout).not.toContain('\u001b')
  },
)

test('works from any folder, with or without a cache', () => {
  const from = (cwd: string, env = {}) => overlab(['inventory', '--stack', 'vxlan'], { cwd, env })
  const here = from(repository)
  expect(here.stdout).toContain('node1-pod1=')
  expect(here.stderr).toBe('overlab: lab lab, stack vxlan\n')
  expect(from(join(repository, 'overlay'))).toEqual(here)
  const elsewhere = { ...here, stderr: `overlab: lab lab, stack vxlan, project ${repository}\n` }
  expect(from('/')).toEqual(elsewhere)
  expect(from('/', { HOME: '/dev/null' })).toEqual(elsewhere)
})

test('a reader that leaves early is no error', async () => {
  const child = spawn(process.execPath, [join(repository, 'cli', 'overlab.ts'), 'plan', '--json'], {
    env: { ...process.env, PULUMI_STACK: 'vxlan' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const status = await new Promise((resolve) => child.on('close', resolve))
  expect({ status, stderr }).toEqual({ status: 141, stderr: '' })
})

describe('in a copy of the project', () => {
  const copy = () => {
    const folder = cleanClone({ nodeModules: true })
    const home = join(folder, 'pulumi-home')
    // Stands in for the Pulumi CLI and says what it was called with.
    const pulumi = pulumiBinary({ PULUMI_HOME: home })
    mkdirSync(dirname(pulumi), { recursive: true })
    writeFileSync(pulumi, '#!/bin/sh\necho "pulumi $* in $PWD"\nexit 9\n')
    chmodSync(pulumi, 0o755)
    const stack = (name: string, config: string) =>
      writeFileSync(join(folder, 'stacks', `Pulumi.${name}.yaml`), config)
    const run = (words: readonly string[], env = {}) =>
      overlab(words, { folder, env: { PULUMI_HOME: home, ...env } })
    return { folder, stack, run }
  }

  test('each verb closes the own folder to other users', () => {
    const { folder, run } = copy()
    mkdirSync(join(folder, '.overlab'), { mode: 0o755 })
    run(['inventory', '--stack', 'vxlan'])
    expect(statSync(join(folder, '.overlab')).mode & 0o777).toBe(0o700)
  })

  test('no stack is selected', () => {
    expect(copy().run(['plan'], { PULUMI_STACK: '' })).toEqual({
      status: 2,
      stdout: '',
      stderr: 'overlab: no stack is selected; npx pulumi stack select vxlan, or name one with --stack\n',
    })
  })

  test('a selected stack without a config has the defaults', () => {
    const { run } = copy()
    const { status, stdout } = run(['inventory', 'host', 'node1', '--json'], { PULUMI_STACK: 'bare' })
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ number: 1 })
  })

  test('a wrong inventory: all mistakes with their places, status 1, no trace', () => {
    const { folder, stack, run } = copy()
    writeFileSync(
      join(folder, 'inventory', 'wrong.yaml'),
      'lab:\n  name: Wrong\nall:\n  hosts:\n    node1:\n      pdos: 2\n',
    )
    stack('wrong', 'config:\n  overlab:inventory: inventory/wrong.yaml\n')
    const { status, stdout, stderr } = run(['plan', '--stack', 'wrong'])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(
      /^overlab: the inventory is wrong; nothing was done\n(inventory\/wrong\.yaml:\d+:\d+ .*\n){4}$/,
    )
    expect(stderr).toMatch(/did you mean pods\?/)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  test('a lab that is not up', () => {
    const { stack, run } = copy()
    const lab = `down${process.pid}`
    stack('down', `config:\n  overlab:lab: ${lab}\n`)
    for (const [verb, ...words] of [['show', 'routes'], ['ping'], ['exec', 'node1', '--', 'true']])
      expect(run([verb!, '--quiet', '--stack', 'down', ...words])).toEqual({
        status: 1,
        stdout: '',
        stderr: `overlab: the lab ${lab} is not up; ./overlab up --stack down builds it\n`,
      })
    // What the stack replaces in the file follows the first line.
    expect(run(['ping', '--stack', 'down']).stderr.split('\n')[0]).toBe(`overlab: lab ${lab}, stack down`)
  })

  test('up passes words and status on, unlocks a stack whose run was killed, and names who holds it', () => {
    const { folder, run } = copy()
    const locks = join(folder, '.overlab', 'state', '.pulumi', 'locks', 'organization', 'overlab', 'dev')
    mkdirSync(locks, { recursive: true })
    const lock = (pid: number) =>
      writeFileSync(
        join(locks, 'x.json'),
        JSON.stringify({ pid, hostname: hostname(), username: 'me', timestamp: new Date().toISOString() }),
      )
    expect(run(['up', '--stack', 'dev', '--yes', '--unknown'])).toEqual({
      status: 9,
      stdout: `pulumi up --stack dev --yes --unknown in ${folder}\n`,
      stderr: 'overlab: stack dev\n',
    })
    const dead = spawnSync('true').pid
    lock(dead)
    expect(run(['destroy', '-s', 'dev'])).toEqual({
      status: 9,
      stdout: `pulumi destroy -s dev in ${folder}\n`,
      stderr: `overlab: stack dev\noverlab: unlocking dev: the run that locked it (pid ${dead}) was killed\n`,
    })
    lock(process.pid)
    // A preview locks nothing.
    expect(run(['preview', '-s', 'dev'])).toMatchObject({ status: 9, stderr: 'overlab: stack dev\n' })
    const held = run(['up', '-s', 'dev'])
    expect(held).toMatchObject({ status: 1, stdout: '' })
    expect(held.stderr).toMatch(
      new RegExp(
        `^overlab: stack dev\noverlab: the stack dev is locked by .*\\(pid ${process.pid}, me@.*kill -INT ${process.pid}\n$`,
      ),
    )
  })

  test('no Pulumi', () => {
    expect(copy().run(['up'], { PULUMI_HOME: '/nonexistent' })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'overlab: the Pulumi CLI is not installed; npm run lab installs it\n',
    })
  })
})
