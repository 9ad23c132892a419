import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
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
