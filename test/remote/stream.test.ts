import { PassThrough, Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openSession, type Session } from '../../remote/session.ts'
import { stream, type StreamOptions } from '../../remote/stream.ts'
import { startProxy } from './proxy.ts'
import { type Sshd, startSshd } from './sshd.ts'

// Real processes on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let sshd: Sshd
let session: Session
beforeAll(async () => {
  sshd = await startSshd()
  session = await openSession(sshd.target)
})
afterAll(async () => {
  await session?.close()
  await sshd?.stop()
})

/** Collects what is written, as bytes. */
function sink(): Writable & { text(): string } {
  const chunks: Buffer[] = []
  const writable = new Writable({ write: (chunk: Buffer, _, done) => (chunks.push(chunk), done()) })
  return Object.assign(writable, { text: () => Buffer.concat(chunks).toString() })
}

async function exec(command: string | string[], options: Partial<StreamOptions> = {}) {
  const [stdout, stderr] = [sink(), sink()]
  const code = await stream(session, command, { stdout, stderr, ...options })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

test('outputs, exit code, round trip', async () => {
  const before = session.roundTrips
  expect(await exec('echo out; echo err >&2; exit 7')).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' })
  expect(session.roundTrips).toBe(before + 1)
})

test('a list is words, never code', async () => {
  expect((await exec(['printf', '%s|', "it's", '$(id)', '', '*', 'two words'])).stdout).toBe(
    "it's|$(id)||*|two words|",
  )
})

test('input is passed on and ended', async () => {
  const stdin = Readable.from([Buffer.from('ä'.repeat(1_000_000)), Buffer.from('end')])
  expect((await exec('wc -c', { stdin })).stdout.trim()).toBe('2000003')
  expect((await exec('cat; echo end')).stdout).toBe('end\n')
})

test('a command that leaves without reading its input', async () => {
  const stdin = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(100_000)))
  expect((await exec('exit 5', { stdin })).code).toBe(5)
})

test('a death by signal is 128 and its number', async () => {
  expect((await exec('kill -TERM $$')).code).toBe(143)
})

test('a pty is a terminal of the right size', async () => {
  const stdout = Object.assign(sink(), { columns: 91, rows: 37 })
  expect(await stream(session, 'test -t 0 && stty size; exit 3', { stdout, stderr: sink(), pty: true })).toBe(
    3,
  )
  expect(stdout.text()).toBe('37 91\r\n')
  expect((await exec('test -t 0')).code).toBe(1)
})

/** `yes`, whose reader leaves at once: a channel that is killed while it sends. */
async function leave(): Promise<number> {
  const stdout = new PassThrough()
  const code = stream(session, 'yes', { stdout, stderr: sink() })
  stdout.once('data', () => stdout.destroy(new Error('EPIPE')))
  return code
}

test('a reader that has left ends the command', async () => {
  expect(await leave()).toBe(141)
})

test('a slow reader gets everything, also on the channel after a killed one', async () => {
  for (let time = 0; time < 20; time++) {
    await leave()
    let size = 0
    const stdout = new Writable({
      highWaterMark: 1000,
      write: (chunk: Buffer, _, done) => ((size += chunk.length), setImmediate(done)),
    })
    // More than two of ssh2's windows.
    expect(await stream(session, 'head -c 5000000 /dev/zero', { stdout, stderr: sink() })).toBe(0)
    expect(size).toBe(5_000_000)
  }
})

test('cancel and lost connection are failures', async () => {
  const stop = new AbortController()
  const cancelled = exec('echo on; sleep 3', { signal: stop.signal })
  setTimeout(() => stop.abort(), 100)
  await expect(cancelled).rejects.toThrow('node1: exec: cancelled')
  const proxy = await startProxy(sshd.target.port)
  const fragile = await openSession({ ...sshd.target, port: proxy.port })
  const lost = stream(fragile, 'sleep 3', { stdout: sink(), stderr: sink() })
  setTimeout(() => proxy.reset(), 100)
  await expect(lost).rejects.toThrow('node1: exec: the connection was lost')
  await expect(stream(fragile, 'true', { stdout: sink(), stderr: sink() })).rejects.toThrow(
    'the connection was lost',
  )
  await proxy.close()
})
