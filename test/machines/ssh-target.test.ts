import { spawn, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { targetOf } from '../../machines/ssh/target.ts'

const folder = mkdtempSync(join(tmpdir(), 'overlab-target-'))
const file = join(folder, 'known_hosts')
afterAll(() => rmSync(folder, { recursive: true }))

const a = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC8T'
const b = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPr9lvT1ZyKlaxGJAoI4yhGkoXLEaGwVCqB1tvxLj9Jc'

/** The host key that a host is dialled with, by what known_hosts and the inventory say; or why it is not dialled. */
async function hostKey(knownHosts: string, pinned?: string, ofJump?: string): Promise<string> {
  writeFileSync(file, knownHosts)
  const login = { port: 22, user: 'root', key: 'agent', knownHosts: file }
  try {
    const target = await targetOf('web1', {
      ...login,
      host: '10.0.0.5',
      become: false,
      confirm: 30,
      ...(pinned !== undefined && { hostKey: pinned }),
      ...(ofJump !== undefined && { jump: { ...login, host: '10.0.0.1', hostKey: ofJump } }),
    })
    return target.hostKey
  } catch (error) {
    return (error as Error).message
  }
}

test.each([
  ['pinned in the inventory', '', a, undefined, a],
  ['known here', `10.0.0.5 ${a}\n`, undefined, undefined, a],
  ['pinned, another key is revoked', `@revoked * ${b}\n`, a, undefined, a],
  ['unknown, and another key is revoked', `@revoked * ${b}\n`, undefined, undefined, ''],
])('%s', async (_, text, pinned, ofJump, key) => {
  expect(await hostKey(text, pinned, ofJump)).toBe(key)
})

test.each([
  [
    'pinned in the inventory',
    `@revoked * ${a}\n`,
    `${a} root@web1`,
    undefined,
    'its key in the inventory is',
  ],
  [
    'known here',
    `10.0.0.5 ${a}\n@revoked 10.0.0.5 ${a}\n`,
    undefined,
    undefined,
    'every key that it is known by is',
  ],
  ['pinned for the jump host', `@revoked 10.0.0.1 ${b}\n`, a, b, 'its key in the inventory is'],
])('a revoked key is refused: %s', async (_, text, pinned, ofJump, what) => {
  expect(await hostKey(text, pinned, ofJump)).toContain(`${what} revoked: ${file} has it under @revoked for`)
})

test('no key in the inventory: the agent where it has one, else the usual files, and why neither', async () => {
  const home = join(folder, 'home')
  const socket = join(folder, 'agent')
  vi.stubEnv('HOME', home)
  vi.stubEnv('SSH_AUTH_SOCK', socket)
  onTestFinished(() => void vi.unstubAllEnvs())
  const access = { host: '10.0.0.5', port: 22, user: 'root', knownHosts: file, become: false, confirm: 30 }
  const identity = () =>
    targetOf('web1', access).then(
      ({ identityFile }) => identityFile,
      (error: Error) => error.message,
    )
  writeFileSync(file, '')
  expect(await identity()).toContain(`the agent of SSH_AUTH_SOCK (${socket}) does not answer (`)
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  onTestFinished(() => void agent.kill())
  await vi.waitFor(() => expect(existsSync(socket)).toBe(true), { timeout: 20_000 })
  expect(await identity()).toContain(
    `the agent of SSH_AUTH_SOCK (${socket}) holds none, and there is none of`,
  )
  mkdirSync(join(home, '.ssh'), { recursive: true })
  const key = join(home, '.ssh', 'id_ed25519')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  expect(await identity()).toBe(key)
  execFileSync('ssh-add', ['-q', key], { stdio: 'ignore' })
  expect(await identity()).toBe('agent')
})
