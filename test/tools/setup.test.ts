import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pulumiBinary, pulumiFolder } from '../../tools/pulumi-cli.ts'
import { carryOut, planAll } from '../../tools/setup.ts'
import { tools } from '../../tools/packages.ts'
import { withoutSalt } from '../../tools/stacks.ts'
import type { Part, Work } from '../../tools/work.ts'
import { cleanClone } from './clone.ts'
import { temporaryFolder } from './temporary.ts'

function part(name: string, work: Partial<Work> | undefined): Part {
  return { name, plan: async () => work && { problems: [], outside: [], tasks: [], ...work } }
}

describe('the order of things', () => {
  test('every problem is told, and nothing is done', async () => {
    const events: string[] = []
    const task = { title: 'work', run: async () => void events.push('done') }
    const planned = await planAll([
      part('a', { outside: ['install'], tasks: [task] }),
      part('b', { problems: ['no rights'] }),
      part('c', undefined),
      part('d', { problems: ['no Go', 'no vxlan'] }),
    ])
    await expect(carryOut(planned, (line) => events.push(line))).rejects.toThrow('no rights\nno Go\nno vxlan')
    expect(events).toEqual([])
  })

  test('what changes outside is printed before anything is done', async () => {
    const events: string[] = []
    const task = { title: 'work', run: async () => void events.push('done') }
    const planned = await planAll([
      part('a', { outside: ['one'], tasks: [task] }),
      part('b', { outside: ['two'] }),
    ])
    await carryOut(planned, (line) => events.push(line))
    expect(events).toEqual(['set-up will change this outside the repository:', '  - one', '  - two', 'done'])
  })
})

/** Path, size and time of change of every file, but for Pulumi's logs of its own calls. */
function fingerprint(...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(
        (path) =>
          !path.startsWith('versions') && !path.startsWith('logs') && !path.startsWith('node_modules'),
      )
      .map((path) => {
        const stat = statSync(join(folder, path))
        return `${path} ${stat.isFile() ? stat.size : ''} ${stat.mtimeMs}`
      }),
  )
}

describe('a clean clone', { timeout: 120_000 }, () => {
  /** A clone and a user who has Pulumi's CLI (tests come after set-up) and nothing else. */
  function newUser() {
    const clone = cleanClone({ nodeModules: true })
    const home = temporaryFolder()
    mkdirSync(join(home, 'pulumi'))
    symlinkSync(
      join(process.env['PULUMI_HOME'] ?? join(homedir(), '.pulumi'), 'versions'),
      join(home, 'pulumi', 'versions'),
    )
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      PULUMI_HOME: join(home, 'pulumi'),
      XDG_CACHE_HOME: join(home, 'cache'),
      OVERLAB_OFFLINE: '1',
    }
    for (const name of [
      'PULUMI_CONFIG_PASSPHRASE',
      'PULUMI_CONFIG_PASSPHRASE_FILE',
      'PULUMI_BACKEND_URL',
      'PULUMI_STACK',
    ]) {
      delete env[name]
    }
    const setUp = (...args: string[]) =>
      spawnSync(process.execPath, [join(clone, 'tools', 'setup.ts'), ...args], {
        env,
        cwd: clone,
        encoding: 'utf8',
      })
    return { clone, home, env, setUp }
  }

  test('is set up once; the second set-up says and changes nothing', ({ skip }) => {
    skip(!existsSync(pulumiBinary()), "Pulumi's CLI is not there")
    skip(process.getuid?.() !== 0, 'needs root')
    const { clone, home, env, setUp } = newUser()
    const first = setUp()
    expect(first.stderr).toBe('')
    expect(first.status).toBe(0)
    expect(first.stdout).toContain('making the stacks vxlan, host-gw, udp: done')
    const before = fingerprint(clone, home)
    const second = setUp()
    expect({ ...second, output: undefined, pid: 0 }).toMatchObject({ status: 0, stdout: '', stderr: '' })
    expect(fingerprint(clone, home)).toEqual(before)

    const file = join(clone, '.overlab', 'passphrase')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const listed = spawnSync(pulumiBinary(), ['stack', 'ls'], {
      cwd: clone,
      env: { ...env, PULUMI_CONFIG_PASSPHRASE_FILE: file, PULUMI_SKIP_UPDATE_CHECK: '1' },
      encoding: 'utf8',
    })
    expect(listed.stdout).toMatch(/^host-gw .*\n(?:.*\n)*udp .*\n(?:.*\n)*vxlan\* /m)
  })

  test('a state folder that was deleted is made again, with a new passphrase', ({ skip }) => {
    skip(!existsSync(pulumiBinary()), "Pulumi's CLI is not there")
    skip(process.getuid?.() !== 0, 'needs root')
    const { clone, setUp } = newUser()
    expect(setUp().status).toBe(0)
    spawnSync('rm', ['-rf', join(clone, '.overlab')])
    const again = setUp()
    expect(again.stderr).toBe('')
    expect(again.status).toBe(0)
  })

  test('--plan changes nothing', () => {
    const { clone, home, setUp } = newUser()
    const before = fingerprint(clone, home)
    setUp('--plan')
    // The kernel's trial is remembered; nothing else is written.
    expect(fingerprint(clone, home).filter((line) => !line.startsWith('.overlab'))).toEqual(before)
  })

  test('no rights: one line, nothing changed', ({ skip }) => {
    skip(process.getuid?.() !== 0, 'needs root, to become somebody else')
    const { clone, home, env } = newUser()
    const bin = join(home, 'bin')
    mkdirSync(bin)
    for (const tool of ['sh', 'apt-get', 'apt-cache', ...tools.map(({ name }) => name)]) {
      const path = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim()
      if (path) symlinkSync(path, join(bin, tool))
    }
    // Another user cannot follow a link into root's home, and only looks whether they are there.
    rmSync(join(home, 'pulumi', 'versions'))
    mkdirSync(pulumiFolder(env), { recursive: true })
    for (const name of ['pulumi', 'pulumi-language-nodejs']) {
      writeFileSync(join(pulumiFolder(env), name), 'x', { mode: 0o755 })
    }
    spawnSync('chmod', ['-R', 'a+rX', join(clone, '..'), home])
    const before = fingerprint(clone, home)
    // Becomes nobody after its start: Node itself may lie in a folder that others cannot enter.
    const script = `process.setgid(65534); process.setgroups([]); process.setuid(65534)
      const { setUp } = await import(${JSON.stringify(join(clone, 'tools/setup.ts'))})
      await setUp().catch((error) => console.error(error.message))`
    const result = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...env, PATH: bin },
      cwd: '/',
      encoding: 'utf8',
    })
    expect(result.stdout).toBe('')
    expect(result.stderr).toMatch(/^not root \(uid 65534\) and no sudo: .*\n$/)
    expect(fingerprint(clone, home)).toEqual(before)
  })
})

describe("a stack's config before its stack is made", () => {
  const salt = 'encryptionsalt: v1:abc=\n'
  test.each([
    ['config:\n  a: b\n' + salt, 'config:\n  a: b\n'],
    ['config:\n  a:\n    secure: v1:x\n' + salt, 'config:\n  a:\n    secure: v1:x\n' + salt],
    ['config:\n  a: b\n', 'config:\n  a: b\n'],
  ])('%j', (text, expected) => expect(withoutSalt(text)).toBe(expected))
})

test('the Go modules that set-up builds are pinned', () => {
  const root = join(import.meta.dirname, '../../tools/go')
  for (const name of readdirSync(root)) {
    expect(readFileSync(join(root, name, 'go.sum'), 'utf8').length).toBeGreaterThan(1000)
  }
  expect(readdirSync(root).sort()).toEqual(['flanneld', 'language-nodejs', 'pulumi'])
})
