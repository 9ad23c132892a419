import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandPlugin, launcher, planCommandPlugin, pluginFolder } from '../../tools/command-plugin.ts'
import { repository } from '../../tools/paths.ts'
import { temporaryFolder } from './temporary.ts'

const unreachable = async () => false

function home(executable?: string): NodeJS.ProcessEnv {
  const env = { ...process.env, PULUMI_HOME: temporaryFolder() }
  if (executable !== undefined) {
    mkdirSync(pluginFolder(env), { recursive: true })
    writeFileSync(join(pluginFolder(env), 'pulumi-resource-command'), executable, { mode: 0o755 })
  }
  return env
}

async function setUp(env: NodeJS.ProcessEnv): Promise<void> {
  const work = await planCommandPlugin(env, unreachable)
  for (const task of work?.tasks ?? []) await task.run(() => undefined)
}

test('where the real one cannot be had, a launcher of this clone is written, once', async () => {
  const env = home()
  const work = await planCommandPlugin(env, unreachable)
  expect(work?.outside[0]).toContain(pluginFolder(env))
  await setUp(env)
  expect(commandPlugin(env)).toMatchObject({ kind: 'launcher', clone: repository, current: true })
  expect(statSync(pluginFolder(env)).mode & 0o777).toBe(0o755)
  expect(readdirSync(join(pluginFolder(env), '..'))).toEqual(['resource-command-v1.2.1'])
  expect(await planCommandPlugin(env, unreachable)).toBeUndefined()
})

test('the real one stays', async () => {
  const env = home('\x7fELF...')
  expect(commandPlugin(env)).toEqual({ kind: 'real' })
  expect(await planCommandPlugin(env, unreachable)).toBeUndefined()
})

test("a download of Pulumi's own that never ended does not count", async () => {
  const env = home('\x7fELF...')
  writeFileSync(`${pluginFolder(env)}.partial`, '')
  expect(commandPlugin(env)).toEqual({ kind: 'missing' })
})

test('a launcher of a clone that is gone says what to do, and the next set-up replaces it', async () => {
  const gone = "/nowhere/it's gone"
  const env = home(launcher(gone))
  const path = join(pluginFolder(env), 'pulumi-resource-command')
  const result = spawnSync(path, [], { encoding: 'utf8' })
  expect(result.status).toBe(1)
  expect(result.stderr).toContain(`from ${gone}, which is gone`)
  expect(result.stderr).toContain('pulumi plugin rm resource command 1.2.1 --yes')
  await setUp(env)
  expect(readFileSync(path, 'utf8')).toBe(launcher(repository))
})

describe('what the launcher runs lies where only its user writes', () => {
  const nobody = 65534
  /** A clone whose Node says `ran`, in a folder of its own, and its launcher. */
  function clone(): { above: string; clone: string; launch: () => string } {
    const above = join(temporaryFolder(), 'above')
    const clone = join(above, 'clone')
    for (const folder of ['plugins/command', 'node_modules/.bin'])
      mkdirSync(join(clone, folder), { recursive: true })
    writeFileSync(join(clone, 'plugins/command/index.ts'), '')
    writeFileSync(join(clone, 'node_modules/.bin/node'), '#!/bin/sh\necho "ran $2"\n', { mode: 0o755 })
    const path = join(pluginFolder(home(launcher(clone))), 'pulumi-resource-command')
    const launch = () => {
      const { stdout, stderr } = spawnSync(path, ['a b'], { encoding: 'utf8' })
      return stdout || stderr
    }
    return { above, clone, launch }
  }

  test('a clone of its own is run, with its arguments', () => {
    expect(clone().launch()).toBe('ran a b\n')
  })

  test('so is one that its own group may write to', () => {
    const made = clone()
    chmodSync(made.clone, 0o775)
    expect(made.launch()).toBe('ran a b\n')
  })

  test.each<[string, (made: ReturnType<typeof clone>) => void]>([
    ['another user made it again', (made) => chownSync(made.clone, nobody, nobody)],
    ['everybody may write into it', (made) => chmodSync(made.clone, 0o777)],
    ['everybody may put files into it', (made) => chmodSync(made.clone, 0o1777)],
    ['everybody may write above it', (made) => chmodSync(made.above, 0o777)],
    ['another user owns the folder above it', (made) => chownSync(made.above, nobody, nobody)],
    [
      'another group may write above it',
      (made) => (chownSync(made.above, 0, nobody), chmodSync(made.above, 0o775)),
    ],
    [
      'a link stands in its place',
      (made) => (renameSync(made.clone, `${made.clone}2`), symlinkSync(`${made.clone}2`, made.clone)),
    ],
  ])('not where %s', (_, change) => {
    const made = clone()
    change(made)
    expect(made.launch()).toContain(`so ${made.clone} is not run`)
  })
})
