import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { createPool, type Pool } from '../../remote/pool.ts'
import { startProxy } from './proxy.ts'
import { freePort, startSshd } from './sshd.ts'

// Real processes on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function host(name = 'node1', extra: string[] = []) {
  const sshd = await startSshd(extra, name)
  undo.push(() => sshd.stop())
  return sshd
}

function pool(options: Parameters<typeof createPool>[0] = {}): Pool {
  const made = createPool(options)
  undo.push(() => made.close())
  return made
}

test('concurrent callers share one connection', async () => {
  const sshd = await host()
  const shared = pool()
  const sessions = await Promise.all(Array.from({ length: 20 }, () => shared.session({ ...sshd.target })))
  await Promise.all(sessions.map((session) => session.run('true')))
  expect(new Set(sessions).size).toBe(1)
  expect([shared.connects, shared.roundTrips, sshd.logins()]).toEqual([1, 20, 1])
})

test('50 hosts at once: one connection each', { timeout: 60_000 }, async () => {
  const hosts = await Promise.all(Array.from({ length: 50 }, (_, i) => host(`node${i + 1}`)))
  const shared = pool()
  const names = await Promise.all(
    hosts.map(async ({ target }) => {
      const session = await shared.session(target)
      await session.run('true')
      return (await session.run(`echo ${target.name}`)).stdout.trim()
    }),
  )
  expect(names).toEqual(hosts.map(({ target }) => target.name))
  expect(hosts.map((sshd) => sshd.logins())).toEqual(hosts.map(() => 1))
  expect([shared.connects, shared.roundTrips]).toEqual([50, 100])
})

test('everything in a target is part of its name', async () => {
  const sshd = await host()
  const shared = pool()
  const one = await shared.session(sshd.target)
  const two = await shared.session({ ...sshd.target, name: 'alias' })
  expect(two).not.toBe(one)
  const { hostKey, ...rest } = sshd.target
  expect(await shared.session({ hostKey, ...rest })).toBe(one)
})

test('a broken session is replaced at the next call; counts go on', async () => {
  const sshd = await host()
  const proxy = await startProxy(sshd.target.port)
  undo.push(() => proxy.close())
  const target = { ...sshd.target, port: proxy.port }
  const shared = pool()
  const first = await shared.session(target)
  await first.run('true')
  proxy.reset()
  await expect(first.run('true')).rejects.toThrow('connection was lost')
  const second = await shared.session(target)
  expect((await second.run('echo new')).stdout).toBe('new\n')
  expect([shared.connects, shared.roundTrips]).toEqual([2, 3])
})

test('a session whose host silently went away is replaced too', { timeout: 20_000 }, async () => {
  const sshd = await host()
  const proxy = await startProxy(sshd.target.port)
  undo.push(() => proxy.close())
  const target = { ...sshd.target, port: proxy.port }
  const shared = pool()
  const first = await shared.session(target)
  await first.run('true')
  proxy.hang()
  await sleep(1_100)
  const again = await Promise.all([shared.session(target), shared.session(target)])
  expect(again[0]).not.toBe(first)
  expect(again[1]).toBe(again[0])
  expect((await again[0].run('echo new')).stdout).toBe('new\n')
  expect(shared.connects).toBe(2)
})

test('a session that was silent for a while and lives is kept', async () => {
  const sshd = await host()
  const shared = pool()
  const first = await shared.session(sshd.target)
  await sleep(1_100)
  expect(await shared.session(sshd.target)).toBe(first)
  expect(sshd.logins()).toBe(1)
})

test('a host that is down leaves the others alone, and is asked again later', async () => {
  const sshd = await host('node2')
  const shared = pool({ backoff: { attempts: 2, baseMs: 1 } })
  const down = { ...sshd.target, name: 'node1', port: await freePort() }
  const [one, two] = await Promise.allSettled([shared.session(down), shared.session(sshd.target)])
  expect(one.status === 'rejected' && String(one.reason)).toContain('node1: connect: nothing listens')
  expect(two.status).toBe('fulfilled')
  await expect(shared.session(down)).rejects.toThrow('nothing listens')
  expect(shared.connects).toBe(1)
})

test('an idle session is closed, a working one is not', async () => {
  const sshd = await host()
  const shared = pool({ idleMs: 150 })
  const session = await shared.session(sshd.target)
  expect((await session.run('sleep 0.6; echo done')).stdout).toBe('done\n')
  while (!/Received disconnect/.test(sshd.log())) await sleep(20)
  await expect(session.run('true')).rejects.toThrow('the session was closed')
  await (await shared.session(sshd.target)).run('true')
  expect([shared.connects, shared.roundTrips]).toEqual([2, 2])
})

test('no more attempts at once than allowed', async () => {
  let accepted = 0
  const server = createServer((socket) => {
    accepted++
    socket.resume().on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => new Promise((resolve) => server.close(resolve)))
  const sshd = await host()
  const { port } = server.address() as { port: number }
  const shared = pool({ connects: 3 })
  const targets = Array.from({ length: 10 }, (_, i) => ({ ...sshd.target, port, name: `node${i}` }))
  const all = Promise.allSettled(targets.map((target) => shared.session(target)))
  // The server never says a word, so that no attempt ends and none may follow.
  while (accepted < 3) await sleep(10)
  await sleep(300)
  expect(accepted).toBe(3)
  await shared.close()
  for (const { status } of await all) expect(status).toBe('rejected')
})

test('close ends all, those on their way too', async () => {
  const sshd = await host()
  const shared = pool({ backoff: { attempts: 100, baseMs: 500 } })
  const open = await shared.session(sshd.target)
  const onItsWay = shared.session({ ...sshd.target, port: await freePort() })
  const running = open.run('sleep 3')
  const outcomes = Promise.allSettled([onItsWay, running])
  await shared.close()
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(shared.session(sshd.target)).rejects.toThrow('node1: connect: the session was closed')
})
