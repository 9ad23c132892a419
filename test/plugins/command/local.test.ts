import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  archiveSignature,
  assetSignature,
  isSecret,
  plain,
  secret,
  signatureKey,
  unknown,
} from '../../../plugins/server/values.ts'
import type { Values } from '../../../plugins/server/values.ts'
import { failure, startPlugin, urnOf } from '../server/plugin.ts'
import type { StartedPlugin } from '../server/plugin.ts'

const type = 'command:local:Command'
const folder = mkdtempSync(join(tmpdir(), 'overlab-local-'))
let plugin: StartedPlugin

beforeAll(async () => {
  plugin = await startPlugin(join(import.meta.dirname, '../../../plugins/command/index.ts'))
})
beforeEach(() => void plugin.logs.splice(0))
afterAll(async () => {
  await plugin.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function outputs(inputs: Values): Promise<Values> {
  return (await plugin.create(type, inputs)).outputs
}

describe('create', () => {
  test('returns both outputs apart, without the last newline, and the inputs', async () => {
    const { id, outputs } = await plugin.create(type, { create: 'printf "a\\n\\n"; echo b >&2' })
    expect(id).toMatch(/^name[0-9a-f]{8}$/)
    expect(outputs).toEqual({ create: 'printf "a\\n\\n"; echo b >&2', stdout: 'a\n', stderr: 'b' })
  })

  test('without a command runs nothing', async () => {
    expect(await outputs({ delete: 'false' })).toEqual({ delete: 'false', stdout: '', stderr: '' })
  })

  test('passes environment, dir, stdin and interpreter', async () => {
    const given = {
      create: 'echo "$FOO $PWD $(cat) ${BASH_VERSION:+bash}"',
      environment: { FOO: "it's $HOME" },
      dir: folder,
      stdin: 'line\n',
      interpreter: ['/usr/bin/env', 'bash', '-c'],
    }
    expect((await outputs(given)).stdout).toBe(`it's $HOME ${folder} line bash`)
  })

  test('a command need not read its input', async () => {
    expect((await outputs({ create: 'echo done', stdin: 'x'.repeat(5_000_000) })).stdout).toBe('done')
  })

  test('carries 5 MB and characters split over writes', async () => {
    const program = `
      process.stdout.write(Buffer.from([0xe2, 0x82]))
      setTimeout(() => { process.stdout.write(Buffer.concat([Buffer.from([0xac]), Buffer.alloc(5e6, 'x')])) }, 50)`
    const { stdout } = await outputs({
      create: program,
      interpreter: [process.execPath, '-e'],
      logging: 'none',
    })
    expect(stdout === '€' + 'x'.repeat(5_000_000)).toBe(true)
  })
})

describe('failure', () => {
  test.each([
    ['exit 3', 'exit status 3: running "exit 3":\n'],
    [
      'echo "out"; echo err >&2; exit 1',
      'exit status 1: running "echo \\"out\\"; echo err >&2; exit 1":\nout\nerr\n',
    ],
    ['kill -9 $$', 'signal: killed: running "kill -9 $$":\n'],
    ['kill -TERM $$', 'signal: terminated: running "kill -TERM $$":\n'],
    ['# é\n\texit 2', 'exit status 2: running "# é\\n\\texit 2":\n'],
  ])('%j', async (create, message) => {
    expect(await failure(plugin.create(type, { create }))).toBe(message)
  })

  test('of the start', async () => {
    expect(await failure(plugin.create(type, { create: 'x', dir: '/nowhere' }))).toBe(
      'chdir /nowhere: no such file or directory: running "x":\n',
    )
    expect(await failure(plugin.create(type, { create: 'x', interpreter: ['no-such-program'] }))).toBe(
      'exec: "no-such-program": executable file not found in $PATH: running "x":\n',
    )
  })
})

describe('log', () => {
  const create = 'echo one; echo two >&2; printf three'
  test.each([
    [undefined, ['one', 'three', 'two']],
    ['stdoutAndStderr', ['one', 'three', 'two']],
    ['stdout', ['one', 'three']],
    ['stderr', ['two']],
    ['none', []],
  ])('%s', async (logging, lines) => {
    await outputs({ create, ...(logging !== undefined && { logging }) })
    expect(plugin.logs.map((entry) => entry.message).sort()).toEqual(lines)
    for (const entry of plugin.logs)
      expect(entry).toMatchObject({ severity: 'info', ephemeral: true, urn: urnOf(type) })
  })

  test('a command that prints faster than the engine listens loses no line', async () => {
    await outputs({ create: 'seq 30000' })
    const lines = plugin.logs.flatMap((entry) => entry.message.split('\n'))
    expect(lines).toEqual(Array.from({ length: 30_000 }, (_, n) => String(n + 1)))
  })

  test('comes line by line, in order, while the command runs', async () => {
    const marker = join(folder, 'marker')
    const running = plugin.create(type, { create: `seq 100; while ! [ -e ${marker} ]; do sleep 0.02; done` })
    try {
      while (plugin.logs.length < 100) await sleep(10)
    } finally {
      writeFileSync(marker, '')
    }
    await running
    expect(plugin.logs.map((entry) => entry.message)).toEqual(
      Array.from({ length: 100 }, (_, n) => String(n + 1)),
    )
  })
})

describe('update and delete', () => {
  const show = 'echo "$PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR"'

  test('update runs `update` with the output of the run before', async () => {
    const olds = await outputs({ create: 'echo a; echo b >&2' })
    const news = { create: 'echo c', update: show }
    expect(await plugin.update(type, 'id', olds, news)).toEqual({ ...news, stdout: 'a/b', stderr: '' })
  })

  test('without `update`, `create` runs again', async () => {
    const olds = await outputs({ create: 'echo a' })
    expect((await plugin.update(type, 'id', olds, { create: show })).stdout).toBe('a/')
  })

  test('addPreviousOutputInEnv: false', async () => {
    const olds = await outputs({ create: 'echo a' })
    const news = { create: show, addPreviousOutputInEnv: false }
    expect((await plugin.update(type, 'id', olds, news)).stdout).toBe('/')
  })

  test('without any command the outputs stay', async () => {
    const olds = await outputs({ create: 'echo a' })
    expect(await plugin.update(type, 'id', olds, { delete: 'x' })).toEqual({
      delete: 'x',
      stdout: 'a',
      stderr: '',
    })
  })

  test('delete finds the output of the run before', async () => {
    const file = join(folder, 'deleted')
    const olds = await outputs({ create: 'echo a', delete: `${show} > ${file}` })
    await plugin.delete(type, 'id', olds)
    expect(readFileSync(file, 'utf8')).toBe('a/\n')
    await plugin.delete(type, 'id', { stdout: '', stderr: '' })
  })
})

describe('preview', () => {
  test('runs nothing; the outputs are unknown', async () => {
    const file = join(folder, 'previewed')
    const inputs = { create: `touch ${file}`, stdin: unknown, assetPaths: ['*'] }
    const created = await plugin.create(type, inputs, { preview: true })
    expect(created.outputs).toEqual({ ...inputs, stdout: unknown, stderr: unknown, assets: unknown })
    const updated = await plugin.update(type, 'id', { stdout: 'a', stderr: '' }, inputs, { preview: true })
    expect(updated.stdout).toBe(unknown)
    expect(existsSync(file)).toBe(false)
  })
})

test('read gives back what it is told', async () => {
  const state = { create: 'false', stdout: 'a', stderr: '' }
  expect(await plugin.read(type, 'id', state, { create: 'false' })).toEqual({ id: 'id', outputs: state })
})

describe('diff', () => {
  test('an input is updated in place, a trigger replaces', async () => {
    const olds = { create: 'a', environment: { A: '1', B: '2' }, triggers: ['x', { y: 1 }], dir: '/' }
    const news = {
      create: 'a',
      environment: { A: '2', 'C.D': '3' },
      triggers: ['x', { y: 2 }, 'z'],
      stdin: 's',
    }
    expect(await plugin.diff(type, olds, news)).toEqual({
      changes: 'some',
      detailed: {
        dir: 'delete',
        'environment.A': 'update',
        'environment.B': 'delete',
        'environment["C.D"]': 'add',
        stdin: 'add',
        'triggers[1].y': 'update-replace',
        'triggers[2]': 'add-replace',
      },
      replaces: ['triggers'],
      deleteBeforeReplace: false,
    })
  })

  test('nothing changed; a secret is compared by its content, an asset by its hash', async () => {
    const asset = (hash: string, path: string) => ({ [signatureKey]: assetSignature, hash, path })
    const inputs = { create: secret('a'), triggers: [asset('1', '/a')] }
    expect((await plugin.diff(type, inputs, { create: 'a', triggers: [asset('1', '/b')] })).changes).toBe(
      'none',
    )
    expect((await plugin.diff(type, inputs, { ...inputs, triggers: [asset('2', '/a')] })).detailed).toEqual({
      'triggers[0]': 'update-replace',
    })
    expect((await plugin.diff(type, inputs, { ...inputs, create: unknown })).detailed).toEqual({
      create: 'update',
    })
  })
})

describe('check', () => {
  test('fills in defaults', async () => {
    expect(await plugin.check(type, { create: 'a' })).toEqual({
      inputs: { create: 'a', addPreviousOutputInEnv: true },
      failures: {},
    })
  })

  test('names each wrong input', async () => {
    const inputs = {
      create: 1,
      environment: { A: 1 },
      interpreter: 'sh',
      triggers: 'x',
      logging: 'all',
      stdin: unknown,
    }
    expect((await plugin.check(type, inputs)).failures).toEqual({
      create: 'must be a string; got 1',
      environment: 'must be a map of strings; got a map',
      interpreter: 'must be a list of strings; got "sh"',
      triggers: 'must be a list; got "x"',
      logging: 'must be one of none, stdout, stderr, stdoutAndStderr; got "all"',
    })
  })
})

describe('secrets', () => {
  test('a command that is told a secret keeps its output secret', async () => {
    const given = await outputs({ create: secret('echo hidden'), environment: { A: 'b' } })
    expect(isSecret(given.create)).toBe(true)
    expect(isSecret(given.stdout)).toBe(true)
    expect(plain(given)).toEqual({
      create: 'echo hidden',
      environment: { A: 'b' },
      stdout: 'hidden',
      stderr: '',
    })
    // And finds its own output again.
    const updated = await plugin.update(type, 'id', given, { update: 'echo $PULUMI_COMMAND_STDOUT' })
    expect(updated.stdout).toBe('hidden')
  })
})

describe('assets', () => {
  test('assetPaths gives the files as a map, archivePaths as one archive', async () => {
    const dir = join(folder, 'assets')
    mkdirSync(dir)
    const create =
      'mkdir -p assets/logos src/deep; echo 1 > assets/logos/logo.svg; echo 2 > src/index.js; echo 3 > src/deep/more.js; echo 4 > src/secret.js; echo 5 > other'
    const paths = ['assets/**', 'src/**.js', '!**secret.*']
    const given = await outputs({ create, dir, assetPaths: paths, archivePaths: ['src/*.js'] })
    const found = given.assets as Values
    expect(Object.keys(found).sort()).toEqual(['assets/logos/logo.svg', 'src/deep/more.js', 'src/index.js'])
    // sha256 of "2\n"
    expect(found['src/index.js']).toEqual({
      [signatureKey]: assetSignature,
      hash: '53c234e5e8472b6ac51c1ae1cab3fe06fad053beb8ebfd8977b010655bfdd3c3',
      path: join(dir, 'src/index.js'),
    })
    const archive = given.archive as Values
    expect(archive[signatureKey]).toBe(archiveSignature)
    expect(Object.keys(archive.assets as Values).sort()).toEqual(['src/index.js', 'src/secret.js'])
  })
})

describe('run', () => {
  test('runs each time and returns inputs and outputs', async () => {
    const args = { command: 'cat; echo $A >&2', stdin: 'in', environment: { A: 'e' } }
    expect(await plugin.invoke('command:local:run', args)).toEqual({
      ...args,
      addPreviousOutputInEnv: true,
      stdout: 'in',
      stderr: 'e',
    })
    expect(await failure(plugin.invoke('command:local:run', { command: 'exit 9' }))).toBe(
      'exit status 9: running "exit 9":\n',
    )
    expect(await failure(plugin.invoke('command:local:run', {}))).toBe(
      "command:local:run: command: Missing required property 'command'",
    )
  })
})

describe('end', () => {
  /** Resolves when the process with the number in the file has ended; vitest's time-out is the limit. */
  async function gone(pidFile: string) {
    while (existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}`)) await sleep(10)
  }
  async function written(file: string) {
    while (!existsSync(file) || readFileSync(file, 'utf8').trim() === '') await sleep(10)
  }

  test('cancel ends the command and its children; the next one runs', async () => {
    const pidFile = join(folder, 'cancelled')
    const message = failure(plugin.create(type, { create: `sleep 1000 & echo $! > ${pidFile}; wait` }))
    await written(pidFile)
    await plugin.cancel()
    expect(await message).toMatch(/^signal: terminated: running "sleep 1000/)
    await gone(pidFile)
    expect((await outputs({ create: 'echo next' })).stdout).toBe('next')
  })

  test('customTimeouts end the command', async () => {
    const call = plugin.create(type, { create: 'exec sleep 1000' }, { timeout: 0.2 })
    expect(await failure(call)).toBe('signal: terminated: running "exec sleep 1000":\n')
  })

  test.each(['engine closes', 'SIGTERM'] as const)('%s: the plugin and its command end', async (how) => {
    const other = await startPlugin(join(import.meta.dirname, '../../../plugins/command/index.ts'))
    const pidFile = join(folder, how)
    const call = other.create(type, { create: `echo $$ > '${pidFile}'; exec sleep 1000` }).catch(() => {})
    await written(pidFile)
    const ended = new Promise<number | null>((resolve) => other.process.once('exit', resolve))
    if (how === 'SIGTERM') other.process.kill('SIGTERM')
    else other.process.stdin?.end()
    expect(await ended).toBe(0)
    await gone(pidFile)
    await call
    await other.stop()
  })
})

test('an unknown type is named', async () => {
  expect(await failure(plugin.create('command:local:Nothing', {}))).toBe(
    'command 1.2.1 has no resource type command:local:Nothing',
  )
  expect(await plugin.version()).toBe('1.2.1')
})
