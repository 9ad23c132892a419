import { spawn } from 'node:child_process'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { HostError } from '../../remote/errors.ts'
import { openSession, type Session, type SessionOptions } from '../../remote/session.ts'
import { type Proxy, type ProxyOptions, startProxy } from './proxy.ts'
import { type Sshd, startSshd } from './sshd.ts'

// Real processes on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let sshd: Sshd
const undo: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  sshd = await startSshd()
})
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
afterAll(() => sshd?.stop())

/** A session through a hostile network. */
async function through(options: ProxyOptions = {}, session: SessionOptions = {}): Promise<[Proxy, Session]> {
  const proxy = await startProxy(sshd.target.port, options)
  undo.push(() => proxy.close())
  const open = await openSession({ ...sshd.target, port: proxy.port }, session)
  undo.push(() => open.close())
  return [proxy, open]
}

const failure = (promise: Promise<unknown>): Promise<HostError> =>
  promise.then(
    (value) => Promise.reject(new Error(`did not fail: ${JSON.stringify(value)}`)),
    (error: HostError) => (error.name === 'HostError' ? error : Promise.reject(error)),
  )

test.each([1, 2, 3, 7])('characters split over packets of %i bytes stay whole', async (split) => {
  const [, session] = await through({ split })
  const text = 'äöü€😀'.repeat(20)
  const { stdout, stderr } = await session.run(`printf '%s' '${text}'; printf '%s' '${text}' >&2`)
  expect([stdout, stderr]).toEqual([text, text])
})

test('a slow network is no failure', async () => {
  const [, session] = await through({ delayMs: 30 })
  expect((await session.run('echo slow')).stdout).toBe('slow\n')
})

test.each(['fin', 'reset'] as const)(
  '%s in the middle of a command: an error, never half an output',
  async (how) => {
    const [proxy, session] = await through()
    const before = session.run('echo first')
    await before
    const running = failure(session.run('echo half; sleep 1; echo whole', { step: 'probe' }))
    await sleep(150)
    proxy[how]()
    const error = await running
    expect(error.step).toBe('probe')
    expect(error.why).toMatch(/^the connection was lost.*; the command may have run in part$/)
    expect((await failure(session.run('true'))).why).toMatch(/^the connection was lost/)
  },
)

test('every command on a lost connection fails, waiting ones too', async () => {
  const [proxy, session] = await through()
  const all = Promise.allSettled(Array.from({ length: 20 }, () => session.run('sleep 1')))
  await sleep(150)
  proxy.reset()
  for (const { status } of await all) expect(status).toBe('rejected')
})

test('a reset in the middle of 5 MB of input and of output', async () => {
  for (const script of ['#'.repeat(30_000_000), 'yes']) {
    const [proxy, session] = await through()
    const running = failure(session.run(script))
    await sleep(30)
    proxy.reset()
    expect((await running).why).toMatch(/connection was lost/)
  }
})

test('a connection that hangs ends by keepalive', async () => {
  const [proxy, session] = await through({}, { keepaliveMs: 250 })
  const running = failure(session.run('sleep 8'))
  await sleep(100)
  proxy.hang()
  expect((await running).why).toBe(
    'the connection was lost (Keepalive timeout); the command may have run in part',
  )
})

test.each(['fin', 'reset'] as const)('connects turned away by %s are tried again', async (turnAwayBy) => {
  const [proxy, session] = await through({ turnAway: 3, turnAwayBy }, { backoff: { baseMs: 1 } })
  expect((await session.run('echo in')).stdout).toBe('in\n')
  expect(proxy.accepted()).toBe(4)
})

test.each([
  ['fin', 'closed the connection before it was ready, 4 times'],
  ['reset', 'broke the connection off before it was ready (ECONNRESET), 4 times'],
] as const)('connects turned away by %s for ever end with an error', async (turnAwayBy, why) => {
  const proxy = await startProxy(sshd.target.port, { turnAway: 1000, turnAwayBy })
  undo.push(() => proxy.close())
  const error = await failure(
    openSession({ ...sshd.target, port: proxy.port }, { backoff: { attempts: 4, baseMs: 1 } }),
  )
  expect(error.why).toBe(`127.0.0.1:${proxy.port} ${why}`)
  expect(proxy.accepted()).toBe(4)
})

/** A server that is no sshd. */
async function impostor(greet: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    greet(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as { port: number }).port
}

test('a server that says nothing: each attempt has its own time', async () => {
  let asked = 0
  const port = await impostor(() => asked++)
  const error = await failure(
    openSession({ ...sshd.target, port }, { attemptMs: 100, backoff: { attempts: 2, baseMs: 1 } }),
  )
  expect(error.why).toBe(`127.0.0.1:${port} was not ready within 0.1 s, 2 times`)
  expect(asked).toBe(2)
})

test('no attempt starts after the overall time', async () => {
  let asked = 0
  const port = await impostor(() => asked++)
  await failure(
    openSession({ ...sshd.target, port }, { attemptMs: 100, overallMs: 50, backoff: { baseMs: 1 } }),
  )
  expect(asked).toBe(1)
})

test('a server that is no sshd', async () => {
  const port = await impostor((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const http = await failure(openSession({ ...sshd.target, port }, { backoff: { attempts: 2, baseMs: 1 } }))
  expect(http.why).toBe(`127.0.0.1:${port} closed the connection before it was ready, 2 times`)
  const old = await impostor((socket) => socket.write('SSH-1.5-old\r\n'))
  expect((await failure(openSession({ ...sshd.target, port: old }))).why).toMatch(/does not speak SSH/)
})

test('an abort ends a connect at once', async () => {
  const stop = new AbortController()
  const port = await impostor(() => stop.abort())
  const error = await failure(openSession({ ...sshd.target, port }, { signal: stop.signal }))
  expect(error.message).toBe('node1: connect: cancelled')
})

test('a reset of an idle connection never ends the process, and the other hosts go on', async () => {
  const other = await startSshd([], 'node2')
  undo.push(() => other.stop())
  const proxy = await startProxy(sshd.target.port)
  undo.push(() => proxy.close())
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'survivor.ts'),
      JSON.stringify([{ ...sshd.target, port: proxy.port }, other.target]),
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  undo.push(async () => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.on('data', (data) => (out += String(data)))
  child.stderr.on('data', (data) => (err += String(data)))
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  while (!out.includes('ready') && child.exitCode === null) await sleep(20)
  proxy.reset()
  await sleep(100)
  child.stdin.end('go\n')
  expect(await ended, err).toBe(0)
  expect(out).toMatch(
    /^ready\nnode1: after: the connection was lost \(.*ECONNRESET\).*\nnode2: fine\nnode1: again\n$/,
  )
})
