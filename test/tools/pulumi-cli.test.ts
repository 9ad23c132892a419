import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planPulumi, pulumiFolder } from '../../tools/pulumi-cli.ts'
import { temporaryFolder } from './temporary.ts'

const unreachable = async () => false
const reachable = async () => true

/** An environment with an empty Pulumi home, and programs of its own in PATH. */
function machine(programs: Record<string, string> = {}): NodeJS.ProcessEnv {
  const folder = temporaryFolder()
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const [name, text] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return { PATH: `${bin}:/usr/bin:/bin`, PULUMI_HOME: join(folder, 'home') }
}

/** A Go that writes a program where it is told to. */
const goodGo = `if [ "$1" = env ]; then echo go1.26.8; echo auto; exit; fi
while [ "$1" != -o ]; do shift; done; echo built > "$2"; chmod 755 "$2"`

test('both programs there: no plan, and nobody asks the network', async () => {
  const env = machine()
  mkdirSync(pulumiFolder(env), { recursive: true })
  for (const name of ['pulumi', 'pulumi-language-nodejs'])
    writeFileSync(join(pulumiFolder(env), name), 'x', { mode: 0o755 })
  expect(await planPulumi(env, () => Promise.reject(new Error('asked')))).toBeUndefined()
})

test('the download comes first', async () => {
  const work = await planPulumi(machine(), reachable)
  expect(work?.outside).toEqual([
    expect.stringMatching(/^download Pulumi [\d.]+ from get\.pulumi\.com into \//),
  ])
})

test('no download and no Go: one line with the remedy, and no task', async () => {
  const work = await planPulumi(machine(), unreachable)
  expect(work?.problems).toEqual([
    expect.stringMatching(
      /^pulumi and pulumi-language-nodejs \(Pulumi [\d.]+\): get\.pulumi\.com cannot be reached to download it, and building it needs Go, which is missing: install Go [\d.]+ or newer \(https:\/\/go\.dev\/dl; .*\) and put it in PATH$/,
    ),
  ])
  expect(work?.tasks).toEqual([])
})

test('an old Go says which one it is', async () => {
  const work = await planPulumi(machine({ go: 'echo go1.19.8' }), unreachable)
  expect(work?.problems[0]).toContain('; here is go1.19.8: install Go')
})

test('builds what is missing only, and then has nothing to do', async () => {
  const env = machine({ go: goodGo })
  mkdirSync(pulumiFolder(env), { recursive: true })
  writeFileSync(join(pulumiFolder(env), 'pulumi'), 'x', { mode: 0o755 })
  const work = await planPulumi(env, unreachable)
  expect(work?.tasks.map((task) => task.title)).toEqual(['building pulumi-language-nodejs 3.68.0'])
  for (const task of work?.tasks ?? []) await task.run(() => undefined)
  expect(readdirSync(pulumiFolder(env)).sort()).toEqual(['pulumi', 'pulumi-language-nodejs'])
  expect(await planPulumi(env, unreachable)).toBeUndefined()
})

test('a build that fails leaves nothing behind and says why', async () => {
  const env = machine({
    go: 'if [ "$1" = env ]; then echo go1.26.8; echo auto; exit; fi\necho "proxy: no such host" >&2; exit 1',
  })
  const work = await planPulumi(env, unreachable)
  await expect(work?.tasks[0]?.run(() => undefined)).rejects.toThrow(
    /building pulumi failed:\n {2}proxy: no such host/,
  )
  expect(readdirSync(pulumiFolder(env))).toEqual([])
})

test('what a killed build left is cleared away by the next', async () => {
  const env = machine({ go: goodGo })
  mkdirSync(pulumiFolder(env), { recursive: true })
  // Above the kernel's largest process id.
  const leftover = join(pulumiFolder(env), '.pulumi.99999999')
  writeFileSync(leftover, 'half')
  const work = await planPulumi(env, unreachable)
  for (const task of work?.tasks ?? []) await task.run(() => undefined)
  expect(existsSync(leftover)).toBe(false)
})
