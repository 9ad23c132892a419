import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { wrongNode } from '../../tools/first.mjs'
import { repository } from '../../tools/paths.ts'
import { cleanClone } from './clone.ts'

// A clone is a copy of a thousand files, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

/** What the first step would do, by the oldest Node there is on this machine. */
function decide(clone: string): { install: boolean; why: string; hash: string } {
  const node = existsSync('/usr/bin/node') ? '/usr/bin/node' : process.execPath
  const result = spawnSync(node, [join(clone, 'tools/first.mjs'), '--decide'], { encoding: 'utf8' })
  expect(result.stderr).toBe('')
  return JSON.parse(result.stdout) as ReturnType<typeof decide>
}

/** node_modules with a Node in it and, if given, npm's own record of what it installed. */
function install(clone: string, record?: string): void {
  mkdirSync(join(clone, 'node_modules', '.bin'), { recursive: true })
  symlinkSync(process.execPath, join(clone, 'node_modules', '.bin', 'node'))
  if (record !== undefined) writeFileSync(join(clone, 'node_modules', '.package-lock.json'), record)
}

test('a clean clone is installed', () => {
  expect(decide(cleanClone({ nodeModules: false }))).toMatchObject({
    install: true,
    why: 'node_modules is missing',
  })
})

test('an install that was killed begins again', () => {
  const clone = cleanClone({ nodeModules: false })
  mkdirSync(join(clone, 'node_modules'))
  expect(decide(clone)).toMatchObject({ install: true, why: 'node_modules holds no Node' })
  install(clone)
  expect(decide(clone)).toMatchObject({
    install: true,
    why: 'node_modules is not what package-lock.json says',
  })
})

test('an install by hand counts, until package-lock.json changes', () => {
  const clone = cleanClone({ nodeModules: false })
  const lock = readFileSync(join(clone, 'package-lock.json'), 'utf8')
  install(clone, lock)
  expect(decide(clone)).toMatchObject({ install: false })
  const changed = JSON.parse(lock)
  changed.packages['node_modules/yaml'].version = '0.0.1'
  writeFileSync(join(clone, 'package-lock.json'), JSON.stringify(changed))
  expect(decide(clone)).toMatchObject({ install: true })
})

test('the stamp of an install is trusted for the same package-lock.json only', () => {
  const clone = cleanClone({ nodeModules: false })
  install(clone)
  const { hash } = decide(clone)
  writeFileSync(join(clone, 'node_modules', '.overlab-lock-sha256'), hash)
  expect(decide(clone)).toMatchObject({ install: false, why: 'up to date' })
  writeFileSync(
    join(clone, 'package-lock.json'),
    readFileSync(join(clone, 'package-lock.json'), 'utf8') + '\n',
  )
  expect(decide(clone)).toMatchObject({ install: true })
})

test('no install script runs but that of the package `node`', () => {
  const { allowScripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'))
  const scripted = Object.entries<{ hasInstallScript?: boolean; optional?: boolean; os?: string[] }>(
    lock.packages,
  )
    .filter(([, entry]) => entry.hasInstallScript && !entry.os?.every((os) => os !== 'linux'))
    .map(([path]) => path.replace(/^.*node_modules\//, ''))
  expect(Object.keys(allowScripts).sort()).toEqual([...new Set(scripted)].sort())
  expect(Object.entries(allowScripts).filter(([, allowed]) => allowed)).toEqual([['node', true]])
})

describe('the Node that npm fetches is run only if the repository has its hash', () => {
  const hashes = JSON.parse(readFileSync(join(repository, 'tools/node-sha256.json'), 'utf8')) as Record<
    string,
    string
  >
  const own = `${process.platform}-${process.arch}`

  test('the hashes are of the version that package.json wants, for both processors', () => {
    const { dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
    expect(hashes['version']).toBe(dependencies.node)
    expect(Object.keys(hashes)).toEqual(['version', 'linux-x64', 'linux-arm64'])
  })

  test('the one that runs this test is it', () => {
    expect(wrongNode(repository, own)).toBeUndefined()
  })

  test('another one is not', () => {
    const clone = cleanClone({ nodeModules: false })
    mkdirSync(join(clone, 'node_modules', '.bin'), { recursive: true })
    writeFileSync(join(clone, 'node_modules', '.bin', 'node'), 'something else', { mode: 0o755 })
    expect(wrongNode(clone, own)).toContain(`tools/node-sha256.json says ${hashes[own]}`)
    expect(wrongNode(clone, 'linux-riscv64')).toContain('no hash of Node')
  })

  test('a set-up that gets another one ends, and leaves none behind', () => {
    const clone = cleanClone({ nodeModules: false })
    // An npm that brings a Node which would leave a mark if anything ran it.
    const tools = join(clone, 'stand-in')
    mkdirSync(tools)
    const fetched = join(clone, 'node_modules/.bin/node')
    writeFileSync(
      join(tools, 'npm'),
      `#!/bin/sh\n[ "$1" = --version ] && { echo 10.0.0; exit; }\nmkdir -p '${dirname(fetched)}'\nprintf '#!/bin/sh\\ntouch ${clone}/ran\\n' >'${fetched}'\nchmod +x '${fetched}'\n`,
      { mode: 0o755 },
    )
    const result = spawnSync(process.execPath, [join(clone, 'tools/first.mjs'), '--only-packages'], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${tools}:${process.env['PATH']}` },
    })
    expect(result.status).toBe(1)
    expect(result.stderr).toContain('the Node that npm fetched is not Node')
    expect(existsSync(fetched)).toBe(false)
    expect(existsSync(join(clone, 'ran'))).toBe(false)
  })
})

test('--plan in a clean clone tells what it would do, and installs nothing', () => {
  const clone = cleanClone({ nodeModules: false })
  const node = existsSync('/usr/bin/node') ? '/usr/bin/node' : process.execPath
  const { status, stdout, stderr } = spawnSync(node, [join(clone, 'tools/first.mjs'), '--plan'], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^set-up: node_modules is missing; it would run npm ci in \S+\n/)
  expect(existsSync(join(clone, 'node_modules'))).toBe(false)
})
