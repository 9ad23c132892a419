import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Target } from '../../remote/target.ts'

export interface Sshd {
  readonly target: Target
  readonly dir: string
  readonly pid: number
  log(): string
  /** Connections that got as far as authentication. */
  logins(): number
  stop(): Promise<void>
}

/** A real sshd on loopback with keys of its own; `extra` are lines for its configuration. */
export async function startSshd(extra: readonly string[] = [], name = 'node1'): Promise<Sshd> {
  const dir = mkdtempSync(join(tmpdir(), `overlab-sshd-${process.pid}-`))
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  for (const key of ['host', 'client']) makeKey(join(dir, key))
  const log = join(dir, 'log')
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const own = [
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      `HostKey ${join(dir, 'host')}`,
      `AuthorizedKeysFile ${join(dir, 'client.pub')}`,
      'StrictModes no',
      'PermitRootLogin prohibit-password',
      'UsePAM no',
      'UseDNS no',
      'PidFile none',
      'LogLevel VERBOSE',
      'MaxStartups 100',
      'PrintMotd no',
      'PrintLastLog no',
      // bash under sshd reads ~/.bashrc unless it believes to be a shell in a shell.
      'SetEnv SHLVL=1',
    ]
    // Of most keywords sshd takes the first value, of some the last: each is given once (but HostKey, a list).
    const given = new Set(extra.map((line) => line.split(' ')[0]).filter((keyword) => keyword !== 'HostKey'))
    const lines = [...own.filter((line) => !given.has(line.split(' ')[0])), ...extra, '']
    writeFileSync(join(dir, 'config'), lines.join('\n'))
    const child = spawn('/usr/sbin/sshd', ['-D', '-f', join(dir, 'config'), '-E', log], { stdio: 'ignore' })
    if (await listening(port, child)) {
      return {
        target: {
          name,
          host: '127.0.0.1',
          port,
          user: 'root',
          identityFile: join(dir, 'client'),
          hostKey: readFileSync(join(dir, 'host.pub'), 'utf8').trim(),
        },
        dir,
        pid: child.pid ?? 0,
        log: () => readFileSync(log, 'utf8'),
        logins: () => readFileSync(log, 'utf8').match(/Accepted publickey/g)?.length ?? 0,
        async stop() {
          await end(child)
          rmSync(dir, { recursive: true, force: true })
        },
      }
    }
    await end(child)
    if (attempt === 5) {
      const why = readFileSync(log, 'utf8')
      rmSync(dir, { recursive: true, force: true })
      throw new Error(`sshd did not start: ${why}`)
    }
  }
}

export function makeKey(path: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path])
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function listening(port: number, child: ChildProcess): Promise<boolean> {
  for (let i = 0; i < 200; i++) {
    if (child.exitCode !== null) return false
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('connect', () => (socket.destroy(), resolve(true)))
      socket.on('error', () => resolve(false))
    })
    if (open) return true
    await sleep(25)
  }
  return false
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}
