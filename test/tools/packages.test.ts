import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { choosePackages, installable, installScript, planPackages, tools } from '../../tools/packages.ts'
import { temporaryFolder } from './temporary.ts'

const named = (...names: string[]) => tools.filter((tool) => names.includes(tool.name))

describe('which packages', () => {
  const archives = {
    debian: ['iproute2', 'openssh-server', 'bpftool', 'conntrack'],
    'ubuntu 22.04': ['iproute2', 'openssh-server', 'linux-tools-common', 'linux-tools-generic', 'conntrack'],
    'empty lists': [],
  }
  test.each([
    ['debian', ['ip', 'tc', 'sshd'], ['iproute2', 'openssh-server'], []],
    ['debian', ['bpftool'], ['bpftool'], []],
    [
      'ubuntu 22.04',
      ['bpftool', 'conntrack'],
      ['conntrack', 'linux-tools-common', 'linux-tools-generic'],
      [],
    ],
    ['empty lists', ['ip', 'bpftool'], [], ['ip', 'bpftool']],
  ] as const)('%s, missing %j', (system, missing, packages, unknown) => {
    const known: readonly string[] = archives[system]
    const choice = choosePackages(named(...missing), (name) => known.includes(name))
    expect(choice.packages).toEqual(packages)
    expect(choice.unknown.map((tool) => tool.name)).toEqual(unknown)
  })

  test('a name without a candidate is no package', () => {
    const policy = `bpftool:
  Installed: (none)
  Candidate: 7.1.0+6.1.192-2
  Version table:
     7.1.0+6.1.192-2 500
linux-tools-common:
  Installed: (none)
  Candidate: (none)
  Version table:
`
    expect([...installable(policy)]).toEqual(['bpftool'])
  })
})

describe('the plan', () => {
  test('nothing missing: no plan', async () => {
    expect(await planPackages(process.env, [])).toBeUndefined()
  })

  test('no apt-get: one line that names the tools', async () => {
    const work = await planPackages({ PATH: '' }, named('conntrack', 'bpftool'))
    expect(work?.problems).toEqual([
      "missing tools: conntrack; there is no apt-get here to install them: install them with this system's own package manager",
    ])
    expect(work?.tasks).toEqual([])
  })

  test('says what it installs, and that no SSH service starts', async () => {
    const bin = join(temporaryFolder(), 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'apt-get'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    const work = await planPackages({ PATH: bin }, named('sshd', 'ip'))
    expect(work?.problems).toEqual([])
    expect(work?.outside[0]).toBe('install system packages by apt-get: iproute2 openssh-server')
    expect(work?.outside[1]).toContain('not started')
  })
})

describe('the installation', () => {
  /** The script with every system path moved into a folder, and an apt-get that records what it sees. */
  function stage(aptGet: string) {
    const root = temporaryFolder()
    const sbin = join(root, 'sbin')
    const bin = join(root, 'bin')
    mkdirSync(sbin)
    mkdirSync(bin)
    const program = (name: string, text: string) =>
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    program(
      'apt-get',
      `cd '${root}'\necho "$@" > arguments\ncat '${sbin}/policy-rc.d' > guard 2>/dev/null\n${aptGet}`,
    )
    program('systemctl', `echo "$@" >> '${root}/systemctl'`)
    const script = installScript.replaceAll('/usr/sbin/', `${sbin}/`)
    const install = () =>
      spawnSync('sh', ['-c', script, 'sh', 'openssh-server'], {
        env: { PATH: `${bin}:/usr/bin:/bin` },
        encoding: 'utf8',
      })
    const read = (name: string) =>
      existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8') : ''
    return { install, read, sbin }
  }
  const bringsSshd = 'echo x > sbin/sshd'

  test('a new sshd is neither started nor enabled, and the guard goes', () => {
    const { install, read, sbin } = stage(bringsSshd)
    const result = install()
    expect(result.stderr).toBe('')
    expect(result.status).toBe(0)
    expect(read('arguments')).toMatch(/^install -y .*openssh-server$/m)
    expect(read('systemctl')).toBe('disable ssh.service ssh.socket\n')
    expect(existsSync(join(sbin, 'policy-rc.d'))).toBe(false)
    const guard = join(sbin, '..', 'guard')
    chmodSync(guard, 0o755)
    const refusal = (service: string) => spawnSync(guard, [service, 'start']).status
    expect([refusal('ssh'), refusal('ssh.socket'), refusal('cron')]).toEqual([101, 101, 0])
  })

  test('a failed installation leaves no guard', () => {
    const { install, sbin } = stage('exit 100')
    expect(install().status).toBe(100)
    expect(existsSync(join(sbin, 'policy-rc.d'))).toBe(false)
  })

  test("someone else's guard and a running server stay as they are", () => {
    const { install, read, sbin } = stage('true')
    writeFileSync(join(sbin, 'policy-rc.d'), '#!/bin/sh\nexit 101\n')
    writeFileSync(join(sbin, 'sshd'), 'x')
    expect(install().status).toBe(0)
    expect(read('systemctl')).toBe('')
    expect(readFileSync(join(sbin, 'policy-rc.d'), 'utf8')).toBe('#!/bin/sh\nexit 101\n')
  })

  test('a guard that a killed run left is removed', () => {
    const { install, sbin } = stage('true')
    writeFileSync(join(sbin, 'sshd'), 'x')
    writeFileSync(join(sbin, 'policy-rc.d'), '#!/bin/sh\n# overlab set-up: ...\n')
    expect(install().status).toBe(0)
    expect(existsSync(join(sbin, 'policy-rc.d'))).toBe(false)
  })
})

test('every tool has a package on this system', ({ skip }) => {
  skip(!existsSync('/usr/bin/apt-cache'), 'no apt here')
  const all = tools.flatMap((tool) => tool.packages.flat())
  const policy = execFileSync('apt-cache', ['policy', ...all], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  const known = installable(policy)
  skip(known.size === 0, 'the package lists are empty')
  expect(choosePackages(tools, (name) => known.has(name)).unknown).toEqual([])
})
