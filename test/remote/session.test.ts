import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { HostError } from '../../remote/errors.ts'
import { openSession, type Session } from '../../remote/session.ts'
import { freePort, makeKey, type Sshd, startSshd } from './sshd.ts'

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

const failure = (promise: Promise<unknown>): Promise<HostError> =>
  promise.then(
    (value) => Promise.reject(new Error(`did not fail: ${JSON.stringify(value)}`)),
    (error: HostError) => (error.name === 'HostError' ? error : Promise.reject(error)),
  )

/** Waits until `is` holds; fails by the test's own time limit. */
const until = async (is: () => boolean) => {
  while (!is()) await sleep(20)
}

/** A process's end; it is killed where the test ends first. */
const ending = async (child: ChildProcessWithoutNullStreams) => {
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const status = await new Promise((resolve) => child.on('close', resolve))
  return { status, stdout, stderr }
}

const alive = (mark: string): boolean => {
  try {
    return execFileSync('pgrep', ['-f', mark]).length > 0
  } catch {
    return false
  }
}

test('outputs apart, exit code a value, round trips counted', async () => {
  const before = session.roundTrips
  expect(await session.run('echo out; echo err >&2; exit 3')).toEqual({
    stdout: 'out\n',
    stderr: 'err\n',
    exitCode: 3,
  })
  expect(await session.run('')).toEqual({ stdout: '', stderr: '', exitCode: 0 })
  expect(session.roundTrips - before).toBe(2)
})

test('nothing of the script is in a command line', async () => {
  const { stdout } = await session.run(
    ': topsecret\nfor p in $$ $PPID; do tr "\\0" " " < /proc/$p/cmdline; done; ps -o args= --ppid $PPID',
  )
  expect(stdout).toContain('sh -c')
  expect(stdout).not.toContain('topsecret')
})

test('commands find their input empty', async () => {
  expect((await session.run('cat\necho end')).stdout).toBe('end\n')
})

test('SIGPIPE ends a writer on the host', async () => {
  expect(await session.run('yes | head -1; echo ok')).toEqual({ stdout: 'y\nok\n', stderr: '', exitCode: 0 })
})

test('5 MB in and out', async () => {
  const lines = Array.from({ length: 100_000 }, (_, i) => `${i} ${'é'.repeat(25)}`).join('\n')
  const { stdout } = await session.run(`cat <<'END'\n${lines}\nEND\n`)
  expect(stdout.length).toBe(lines.length + 1)
  expect(stdout).toBe(`${lines}\n`)
})

test('bytes that are no text come through decoded once', async () => {
  const bytes = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1))
  const octal = Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
  expect((await session.run(`printf '${octal}'`)).stdout).toBe(bytes.toString('utf8'))
})

test('many at once wait for their turn', async () => {
  const file = join(sshd.dir, 'turns')
  const results = await Promise.all(
    Array.from({ length: 30 }, (_, i) =>
      session.run(`echo + >>'${file}'; sleep 0.05; echo - >>'${file}'; echo ${i}`),
    ),
  )
  expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 30 }, (_, i) => i))
  expect(sshd.logins()).toBe(1)
  let now = 0
  const levels = Array.from(
    readFileSync(file, 'utf8').replaceAll('\n', ''),
    (sign) => (now += sign === '+' ? 1 : -1),
  )
  expect(Math.max(...levels)).toBeLessThanOrEqual(8)
  expect(Math.max(...levels)).toBeGreaterThan(1)
})

test('a timeout says so, shows the last words and kills on the host', async () => {
  const tag = `4${process.pid}4`
  const error = await failure(
    session.run(`echo started >&2; sleep ${tag}`, { step: 'apply routes', timeoutMs: 300 }),
  )
  expect(error.message).toBe(
    'node1: apply routes: not finished after 0.3 s; it was killed and may have run in part\n  started',
  )
  await until(() => !alive(`sleep ${tag}`))
  expect((await session.run('echo still')).stdout).toBe('still\n')
})

test('an abort cancels, before and during', async () => {
  const tag = `5${process.pid}5`
  const stop = new AbortController()
  const running = failure(session.run(`sleep ${tag}`, { signal: stop.signal }))
  await until(() => alive(`sleep ${tag}`))
  stop.abort()
  expect((await running).message).toBe('node1: run: cancelled')
  await until(() => !alive(`sleep ${tag}`))
  expect((await failure(session.run('true', { signal: stop.signal }))).why).toBe('cancelled')
})

test('a shell killed by a signal is a failure, a command killed by one is a value', async () => {
  expect((await failure(session.run('echo last >&2; kill -9 $$'))).message).toBe(
    'node1: run: the shell was killed by SIGKILL\n  last',
  )
  expect((await session.run("sh -c 'kill -9 $$'")).exitCode).toBe(137)
})

test('too much output is an error and never a cut', async () => {
  const small = await openSession(sshd.target, { maxOutput: 2 ** 20 })
  try {
    const error = await failure(small.run('yes'))
    expect(error.message).toBe(
      'node1: run: more than 1 MB of output; it was killed, since half an output would mislead',
    )
    expect((await small.run('head -c 900000 /dev/zero')).stdout.length).toBe(900_000)
  } finally {
    await small.close()
  }
})

test('a process that keeps the output open is named as the fault', async () => {
  const hasty = await openSession(sshd.target, { lingerMs: 1500 })
  try {
    const error = await failure(hasty.run('sleep 6 & exit 4'))
    expect(error.why).toBe(
      'the script ended (exit 4), but something it started still held its output open 1.5 s later',
    )
    expect((await hasty.run('sleep 2 >/dev/null 2>&1 </dev/null & exit 4')).exitCode).toBe(4)
  } finally {
    await hasty.close()
  }
})

test('a process that cancelled a script ends at once: no timer of the script is left to hold it up', async () => {
  const given = { target: sshd.target, started: join(sshd.dir, 'started') }
  const words = [join(import.meta.dirname, 'cancelled.ts'), JSON.stringify(given)]
  const { status, stdout, stderr } = await ending(spawn(process.execPath, words))
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'node1: run: cancelled\n', stderr: '' })
})

test('closed is closed', async () => {
  const short = await openSession(sshd.target)
  const running = failure(short.run('sleep 3'))
  await short.close()
  expect((await running).why).toContain('the connection was lost')
  expect((await failure(short.run('true'))).why).toBe('the session was closed')
  await short.close()
})

test('start-up files of the login shell neither spoil the output nor go unnoticed where they replace the shell', async () => {
  const noisy = await startSshd([`SetEnv SHLVL=1 BASH_ENV=${join(sshd.dir, 'noise')}`])
  try {
    writeFileSync(join(sshd.dir, 'noise'), 'echo Welcome; echo Hint >&2\n')
    const noise = await openSession(noisy.target)
    expect(await noise.run('echo out; echo err >&2')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 0,
    })
    await noise.close()
  } finally {
    await noisy.stop()
  }
})

test('a shell that leaves without reading 5 MB is an error of that command only', async () => {
  const forced = await startSshd(['ForceCommand echo This account is not available; exit 1'])
  try {
    const strange = await openSession(forced.target)
    const error = await failure(strange.run('#'.repeat(5_000_000)))
    expect(error.why).toBe('the login shell of root did not start `sh`')
    expect(error.stderr).toContain('This account is not available')
    await strange.close()
  } finally {
    await forced.stop()
  }
})

test('a server with fewer sessions than we use: every command runs once', async () => {
  const narrow = await startSshd(['MaxSessions 2'])
  try {
    const tight = await openSession(narrow.target)
    const file = join(narrow.dir, 'runs')
    await Promise.all(Array.from({ length: 30 }, (_, i) => tight.run(`echo ${i} >> '${file}'`)))
    expect(
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 30 }, (_, i) => i))
    expect(narrow.log()).toContain('no more sessions')
    await tight.close()
  } finally {
    await narrow.stop()
  }
})

test('a server that allows no session at all', async () => {
  const none = await startSshd(['MaxSessions 0'])
  try {
    const mute = await openSession(none.target)
    expect((await failure(mute.run('true'))).why).toContain('sshd opened no channel for the command')
    await mute.close()
  } finally {
    await none.stop()
  }
})

test('a server that drops unauthenticated connections gets all of them in the end', async () => {
  const busy = await startSshd(['MaxStartups 2:100:2'])
  try {
    const backoff = { attempts: 60, baseMs: 50, capMs: 400 }
    const sessions = await Promise.all(
      Array.from({ length: 30 }, () => openSession(busy.target, { backoff, overallMs: 50_000 })),
    )
    expect(busy.logins()).toBe(30)
    expect(busy.log()).toMatch(/drop connection|MaxStartups/)
    await Promise.all(sessions.map((one) => one.close()))
  } finally {
    await busy.stop()
  }
})

test('another host key: both fingerprints as ssh-keygen prints them, one attempt, no login', async () => {
  makeKey(join(sshd.dir, 'other'))
  const print = (name: string) =>
    execFileSync('ssh-keygen', ['-lf', join(sshd.dir, `${name}.pub`)], { encoding: 'utf8' }).split(' ')[1]
  const logins = sshd.logins()
  const error = await failure(
    openSession({ ...sshd.target, hostKey: readFileSync(join(sshd.dir, 'other.pub'), 'utf8') }),
  )
  expect(error.why).toBe(
    `the host key of 127.0.0.1:${sshd.target.port} is not the pinned one: it shows ${print('host')}, pinned is ${print('other')}`,
  )
  expect(error.hint).toContain('another machine answers at this address')
  expect(sshd.logins()).toBe(logins)
})

test('a host key of another type is a wrong key too', async () => {
  const dir = sshd.dir
  execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', join(dir, 'ecdsa')])
  const error = await failure(
    openSession({ ...sshd.target, hostKey: readFileSync(join(dir, 'ecdsa.pub'), 'utf8') }),
  )
  expect(error.why).toContain('is not the pinned one')
})

test.each(['ecdsa', 'rsa'])('a pinned %s key is asked for where the host has several', async (type) => {
  const dir = sshd.dir
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', join(dir, `host-${type}`)])
  const many = await startSshd([`HostKey ${join(dir, `host-${type}`)}`])
  try {
    const one = await openSession({
      ...many.target,
      hostKey: readFileSync(join(dir, `host-${type}.pub`), 'utf8'),
    })
    expect((await one.run('echo ok')).stdout).toBe('ok\n')
    await one.close()
  } finally {
    await many.stop()
  }
})

test('a refused client key is final', async () => {
  makeKey(join(sshd.dir, 'stranger'))
  const connections = () => sshd.log().match(/Connection from/g)?.length
  const before = connections() ?? 0
  const error = await failure(openSession({ ...sshd.target, identityFile: join(sshd.dir, 'stranger') }))
  expect(error.message).toContain(`refused the key ${sshd.dir}/stranger for the user root`)
  expect(connections()).toBe(before + 1)
})

test('nothing listens: tried again, then named', async () => {
  const port = await freePort()
  const backoff = { attempts: 3, baseMs: 1, capMs: 1 }
  const error = await failure(openSession({ ...sshd.target, port }, { backoff }))
  expect(error.message).toBe(
    `node1: connect: nothing listens on 127.0.0.1:${port}, 3 times\n  is the machine up? \`./overlab up\` boots one that overlab made`,
  )
})

test('private keys that cannot be used', async () => {
  const at = (identityFile: string) => failure(openSession({ ...sshd.target, identityFile }))
  expect((await at(join(sshd.dir, 'none'))).why).toBe(`there is no private key ${sshd.dir}/none`)
  writeFileSync(join(sshd.dir, 'junk'), 'junk')
  expect((await at(join(sshd.dir, 'junk'))).why).toContain('holds no usable private key')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', join(sshd.dir, 'locked')])
  expect((await at(join(sshd.dir, 'locked'))).why).toContain('is locked by a passphrase')
  expect((await at(join(sshd.dir, 'host.pub'))).why).toContain('holds no usable private key')
})
