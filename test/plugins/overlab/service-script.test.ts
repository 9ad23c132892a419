/** The scripts of a service, run in namespaces with a /run of their own. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  convergeScript,
  exits,
  readScript,
  removeScript,
  type Service,
} from '../../../plugins/overlab/service-script.ts'
import { kernel, type Kernel } from '../../support/kernel.ts'

let machine: Kernel
beforeEach(async () => {
  machine = await kernel()
})
const started: Service[] = []
afterEach(async () => {
  for (const service of started.splice(0)) await machine.run(removeScript(service))
  await machine.close()
})

/** In a shell's own words: waits for ever without a process that would outlive it. */
const wait = 'mkfifo /run/never 2>/dev/null; read line </run/never'

const sleeper = (over: Partial<Service> = {}): Service => ({
  unit: 'sleeper',
  argv: ['sleep', '1000'],
  environment: {},
  folders: [],
  ready: '',
  cleanup: '',
  triggers: [],
  ...over,
})

async function converge(service: Service, seconds?: number) {
  started.push(service)
  return machine.run(convergeScript(service, seconds))
}
/** The id of the process that is running now. */
async function up(service: Service): Promise<number> {
  const { code, stdout, stderr } = await converge(service)
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return Number(stdout.split(' ')[0])
}
const read = (service: Service) => machine.run(readScript(service))
/** A process that nobody has reaped yet lives no more. */
async function lives(pid: number): Promise<boolean> {
  return /^State:\s+[^ZX]/m.test((await machine.run(`cat /proc/${pid}/status`)).stdout)
}
const words = (pid: number) => machine.sh(`tr '\\0' '|' </proc/${pid}/cmdline`)

test('starts once; a second time nothing happens', async () => {
  const pid = await up(sleeper())
  expect(await words(pid)).toBe('sleep|1000|')
  expect(await up(sleeper())).toBe(pid)
  expect((await read(sleeper())).stdout).toMatch(new RegExp(`^${pid} \\d+\\n$`))
})

test('every word and variable arrives as it is, and no other variable does', async () => {
  const odd = ['sh', '-c', wait, "it's", '$(reboot)', 'a\nb', '', '*']
  const pid = await up(sleeper({ argv: odd, environment: { ODD: "x'y\nz" } }))
  expect(await words(pid)).toBe(odd.map((word) => `${word}|`).join(''))
  const environment = await machine.sh(`tr '\\0' '|' </proc/${pid}/environ`)
  expect(environment).toContain("|ODD=x'y\nz|")
  expect(environment.match(/\w+=/g)).toEqual(['PATH=', 'HOME=', 'ODD='])
})

describe('is gone', () => {
  test('when it was killed; then it is started again, and nothing is cleaned up', async () => {
    const service = sleeper({ cleanup: 'touch /run/cleaned' })
    const pid = await up(service)
    await machine.sh(`kill -9 ${pid}`)
    await expect.poll(() => lives(pid)).toBe(false)
    expect((await read(service)).code).toBe(exits.gone)
    expect(await up(service)).not.toBe(pid)
    expect((await machine.run('test -e /run/cleaned')).code).toBe(1)
  })

  test('when another process has its id', async () => {
    const service = sleeper()
    await up(service)
    const pid = (await machine.sh('sleep 1000 >/dev/null 2>&1 & echo $!')).trim()
    try {
      await machine.sh(`cd /run/overlab-services/sleeper; cp pid kept; echo "${pid} 1" >pid`)
      expect((await read(service)).code).toBe(exits.gone)
    } finally {
      await machine.sh(`kill ${pid}; cd /run/overlab-services/sleeper; mv kept pid`)
    }
  })

  test('when it runs by other settings', async () => {
    await up(sleeper())
    expect((await read(sleeper({ argv: ['sleep', '1001'] }))).code).toBe(exits.gone)
    expect((await read(sleeper({ triggers: ['other'] }))).code).toBe(exits.gone)
  })
})

test('other settings: the old one ends, its own cleanup runs, the new one starts', async () => {
  const pid = await up(sleeper({ cleanup: 'echo old >>/run/cleaned' }))
  const next = await up(sleeper({ triggers: ['2'], cleanup: 'echo new >>/run/cleaned' }))
  expect(next).not.toBe(pid)
  expect(await lives(pid)).toBe(false)
  expect(await machine.sh('cat /run/cleaned')).toBe('old\n')
})

test('another test of readiness or another cleanup starts nothing anew, and counts', async () => {
  const pid = await up(sleeper({ cleanup: 'echo old >>/run/cleaned' }))
  const now = sleeper({ ready: '[ -d /run ]', cleanup: 'echo new >>/run/cleaned' })
  expect(await up(now)).toBe(pid)
  await machine.run(removeScript(now))
  expect(await machine.sh('cat /run/cleaned')).toBe('new\n')
})

test('one that lives but does not do its work is told apart, and started anew', async () => {
  const service = sleeper({ argv: ['sh', '-c', `touch /run/work; ${wait}`], ready: '[ -e /run/work ]' })
  const pid = await up(service)
  await machine.sh('rm /run/work')
  expect((await read(service)).code).toBe(exits.notReady)
  expect(await up(service)).not.toBe(pid)
  expect((await read(service)).code).toBe(0)
}, 60_000)

test('a process that ends at once is a failure with its last words', async () => {
  const { code, stderr } = await converge(sleeper({ argv: ['ls', '/nowhere'] }))
  expect(code).toBe(exits.ended)
  expect(stderr).toContain("cannot access '/nowhere'")
})

test('a program that is not there says so', async () => {
  const { code, stderr } = await converge(sleeper({ argv: ['no-such-program'] }))
  expect(code).toBe(exits.ended)
  expect(stderr).toContain('no-such-program')
})

test('is ready when its own test says so, and a failure where it never does', async () => {
  const service = sleeper({
    argv: ['sh', '-c', `sleep 0.3; echo here; ${wait}`],
    ready: 'grep -q here "$log"',
  })
  await up(service)
  const { code, stderr } = await converge(
    sleeper({ argv: ['sh', '-c', `echo waiting; ${wait}`], ready: 'false' }),
    0.3,
  )
  expect(code).toBe(exits.notReady)
  expect(stderr).toBe('waiting\n')
})

test('removed: the process, its folders and what it leaves are gone; again is no error', async () => {
  const service = sleeper({
    argv: ['sh', '-c', `touch /run/left; ${wait}`],
    folders: ['/run/of-its-own/data'],
    ready: '[ -e /run/left ]',
    cleanup: 'rm /run/left',
  })
  const pid = await up(service)
  await machine.sh('touch /run/of-its-own/data/file')
  for (const _ of [1, 2]) {
    const { code, stderr } = await machine.run(removeScript(service))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }
  expect(await lives(pid)).toBe(false)
  expect((await machine.sh('ls /run; ls /run/of-its-own')).split('\n').filter(Boolean)).toEqual([
    'netns',
    'never',
    'of-its-own',
  ])
})

test('one that does not heed SIGTERM is killed', async () => {
  const service = sleeper({
    argv: ['sh', '-c', `trap '' TERM; echo deaf; while :; do ${wait}; done`],
    ready: 'grep -q deaf "$log"',
  })
  const pid = await up(service)
  expect((await machine.run(removeScript(service))).code).toBe(0)
  expect(await lives(pid)).toBe(false)
}, 60_000)
