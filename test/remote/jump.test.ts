import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { HostError } from '../../remote/errors.ts'
import { createPool } from '../../remote/pool.ts'
import { openSession } from '../../remote/session.ts'
import type { Target } from '../../remote/target.ts'
import { freePort, type Sshd, startSshd } from './sshd.ts'

// Real processes on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function host(name: string, extra: string[] = []): Promise<Sshd> {
  const sshd = await startSshd(extra, name)
  undo.push(() => sshd.stop())
  return sshd
}

const quick = { backoff: { attempts: 2, baseMs: 10 } }

async function session(target: Target) {
  const made = await openSession(target, quick)
  undo.push(() => made.close())
  return made
}

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: HostError) => (error.name === 'HostError' ? error.message : String(error)),
  )

test('a script runs beyond a jump host, whose connection ends with its own', async () => {
  const [jump, web] = [await host('jump'), await host('web1')]
  const beyond = await openSession({ ...web.target, jump: jump.target })
  expect((await beyond.run('echo there')).stdout).toBe('there\n')
  expect([jump.logins(), web.logins()]).toEqual([1, 1])
  await beyond.close()
  await vi.waitFor(() => expect(jump.log()).toMatch(/Disconnected|disconnected|closed by/), {
    timeout: 20_000,
  })
})

test('all hosts share one connection to their jump host, however many wait for their turn', async () => {
  const jump = await host('jump')
  const webs = await Promise.all(Array.from({ length: 6 }, (_, i) => host(`web${i + 1}`)))
  const pool = createPool({ connects: 2 })
  undo.push(() => pool.close())
  const sessions = await Promise.all(
    webs.map(({ target }) => pool.session({ ...target, jump: { ...jump.target } })),
  )
  const said = await Promise.all(sessions.map(async (one) => (await one.run('echo yes')).stdout))
  expect(said).toEqual(webs.map(() => 'yes\n'))
  expect([jump.logins(), pool.connects]).toEqual([1, webs.length + 1])
})

test('each wrong link of the way is named', async () => {
  const [jump, closed, web, other] = [
    await host('jump'),
    await host('jump', ['AllowTcpForwarding no']),
    await host('web1'),
    await host('other'),
  ]
  const nobody = await freePort()
  const through = (change: Partial<Target>, by: Target) =>
    messageOf(session({ ...web.target, ...change, jump: by }))
  const j = jump.target
  expect(await through({}, { ...j, hostKey: other.target.hostKey })).toMatch(
    `web1: connect: the jump host 127.0.0.1:${j.port}: the host key of 127.0.0.1:${j.port} is not the pinned one`,
  )
  expect(await through({}, { ...j, hostKey: '' })).toMatch(
    `web1: connect: the jump host 127.0.0.1:${j.port}: the host key of 127.0.0.1:${j.port} is not known here; it shows ssh-ed25519 SHA256:`,
  )
  expect(await through({}, { ...j, identityFile: other.target.identityFile })).toMatch(
    `web1: connect: the jump host 127.0.0.1:${j.port}: 127.0.0.1:${j.port} refused the key`,
  )
  expect(await through({}, closed.target)).toMatch('does not forward connections')
  expect(await through({ port: nobody }, j)).toMatch(
    `web1: connect: the jump host 127.0.0.1:${j.port} cannot reach 127.0.0.1:${nobody} (Connection refused), 2 times`,
  )
  expect(await through({ hostKey: other.target.hostKey }, j)).toMatch(
    `web1: connect: the host key of 127.0.0.1:${web.target.port} is not the pinned one`,
  )
  expect(web.logins()).toBe(0)
})

test('a jump host that dies ends what goes through it, and a new one is used after that', async () => {
  const [jump, web] = [await host('jump'), await host('web1')]
  const pool = createPool(quick)
  undo.push(() => pool.close())
  const target = { ...web.target, jump: jump.target }
  const running = (await pool.session(target)).run('sleep 60')
  const failed = messageOf(running)
  const pids = execFileSync('pgrep', ['-P', String(jump.pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
  expect(await failed).toMatch('web1: run: the connection was lost')
  expect((await (await pool.session(target)).run('echo again')).stdout).toBe('again\n')
})

test('a host key that is not known is shown with what to write where, and nothing is sent', async () => {
  const web = await host('web1')
  const message = await messageOf(session({ ...web.target, hostKey: '' }))
  const fingerprint = execFileSync('ssh-keygen', ['-lf', join(web.dir, 'host.pub')], {
    encoding: 'utf8',
  }).split(' ')[1]
  expect(message).toContain(`is not known here; it shows ssh-ed25519 ${fingerprint}`)
  expect(message).toContain(`  ssh_host_key: ${web.target.hostKey.split(' ').slice(0, 2).join(' ')}`)
  expect(web.log()).not.toContain('publickey')
})

test('the keys of an agent, and no agent', async () => {
  const web = await host('web1')
  const socket = join(web.dir, 'agent')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  undo.push(() => agent.kill())
  vi.stubEnv('SSH_AUTH_SOCK', socket)
  undo.push(() => vi.unstubAllEnvs())
  await vi.waitFor(() => execFileSync('ssh-add', ['-q', web.target.identityFile], { stdio: 'ignore' }), {
    timeout: 20_000,
  })
  const target = { ...web.target, identityFile: 'agent' }
  expect((await (await session(target)).run('echo in')).stdout).toBe('in\n')
  execFileSync('ssh-add', ['-qD'], { stdio: 'ignore' })
  const dials = web.log().match(/Connection from/g)?.length
  expect(await messageOf(session(target))).toContain(
    `the SSH agent of SSH_AUTH_SOCK (${socket}) holds no key`,
  )
  // Eight keys that the host does not know: it hears of six.
  for (const name of 'abcdefgh') {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(web.dir, name)])
    execFileSync('ssh-add', ['-q', join(web.dir, name)], { stdio: 'ignore' })
  }
  expect(await messageOf(session(target))).toMatch(
    /ended the login of root after too many keys: Too many authentication failures\n.*MaxAuthTries.*ssh_key/,
  )
  agent.kill()
  await vi.waitFor(() => expect(agent.signalCode ?? agent.exitCode).not.toBe(null), { timeout: 20_000 })
  const dead = await messageOf(session(target))
  expect(dead).toContain(`the SSH agent of SSH_AUTH_SOCK (${socket}) does not answer: `)
  expect(dead).not.toMatch(/is the machine up|times/)
  // An empty or a dead agent is no fault of the host: it was dialled for the eight keys alone, and once.
  expect(web.log().match(/Connection from/g)?.length).toBe(dials! + 1)
  vi.stubEnv('SSH_AUTH_SOCK', undefined)
  expect(await messageOf(session(target))).toMatch(
    'its key is to come from an SSH agent, and SSH_AUTH_SOCK is not set',
  )
})

test('by sudo: as root, knowing from where it is reached; a timeout ends the children too', async () => {
  const web = await host('web1')
  const one = await session({ ...web.target, become: true })
  const { stdout } = await one.run(
    'id -u; echo $SUDO_USER; echo "${SSH_CONNECTION%% *}"; command -v ip iptables',
  )
  expect(stdout.split('\n').slice(0, 3)).toEqual(['0', 'root', '127.0.0.1'])
  const mark = `5${process.pid}.5`
  expect(await messageOf(one.run(`sleep ${mark}; true`, { timeoutMs: 500 }))).toMatch(
    'not finished after 0.5 s',
  )
  await vi.waitFor(() => expect(() => execFileSync('pgrep', ['-f', `sleep ${mark}`])).toThrow(), {
    timeout: 20_000,
  })
})
