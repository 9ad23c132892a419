import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { knownHosts } from '../../remote/known-hosts.ts'
import { sshConfig } from '../../remote/ssh-config.ts'
import { makeKey, type Sshd, startSshd } from './sshd.ts'

// Real processes on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let sshd: Sshd
beforeAll(async () => {
  sshd = await startSshd()
})
afterAll(() => sshd?.stop())

const target = {
  name: 'node1',
  host: '192.168.77.1',
  port: 22,
  user: 'root',
  identityFile: '/run/overlab/lab/id',
  hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC8T root@node1',
}

test('text', () => {
  expect(knownHosts([target])).toBe(
    'overlab-node1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC8T\n',
  )
  expect(sshConfig([target], '/run/overlab/lab/known_hosts')).toBe(`Host node1
  HostName 192.168.77.1
  Port 22
  User root
  IdentityFile "/run/overlab/lab/id"
  IdentitiesOnly yes
  HostKeyAlias overlab-node1
  UserKnownHostsFile "/run/overlab/lab/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
`)
})

test('the real ssh logs in with it, from a folder with spaces and per cents, and refuses another key', () => {
  const dir = join(sshd.dir, "my lab 100%d it's")
  mkdirSync(dir)
  copyFileSync(sshd.target.identityFile, join(dir, 'client'))
  const here = { ...sshd.target, identityFile: join(dir, 'client') }
  const [config, known] = [join(dir, 'config'), join(dir, 'known_hosts')]
  writeFileSync(config, sshConfig([here, { ...here, name: 'node2' }], known))
  writeFileSync(known, knownHosts([here, { ...here, name: 'node2' }]))
  for (const name of ['node1', 'node2']) {
    expect(execFileSync('ssh', ['-F', config, name, 'echo in'], { encoding: 'utf8' })).toBe('in\n')
  }
  makeKey(join(dir, 'other'))
  writeFileSync(known, knownHosts([{ ...here, hostKey: readFileSync(join(dir, 'other.pub'), 'utf8') }]))
  const wrong = spawnSync('ssh', ['-F', config, 'node1', 'echo in'], { encoding: 'utf8' })
  expect([wrong.status, wrong.stdout]).toEqual([255, ''])
  expect(wrong.stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED')
})

test.each(['a"b', 'a\nb', 'a${HOME}b'])('a path that cannot be written is refused: %j', (path) => {
  expect(() => sshConfig([{ ...target, identityFile: path }], '/k')).toThrow(
    "OpenSSH's configuration cannot hold this path",
  )
})
