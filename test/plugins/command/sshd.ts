import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Sshd {
  readonly port: number
  /** `ssh-ed25519 AAAA...` */
  readonly hostKey: string
  /** The text of a private key that root may log in with. */
  readonly privateKey: string
  readonly privateKeyFile: string
  /** The same key, encrypted with the password `secret words`. */
  readonly encryptedKey: string
  readonly folder: string
  stop(): Promise<void>
}

/** A real sshd on a loopback port, with a host key, a client key and a configuration of its own. */
export async function startSshd(...config: string[]): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'overlab-sshd-'))
  const keygen = (file: string, password = '') =>
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', password, '-C', '', '-f', join(folder, file)])
  keygen('host')
  keygen('client')
  writeFileSync(join(folder, 'encrypted'), readFileSync(join(folder, 'client')), { mode: 0o600 })
  execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'secret words', '-f', join(folder, 'encrypted')])
  // Everything above the authorized keys must belong to root alone; the file is named outright, so this suffices.
  writeFileSync(join(folder, 'authorized'), readFileSync(join(folder, 'client.pub')), { mode: 0o600 })
  chmodSync(folder, 0o700)
  mkdirSync('/run/sshd', { recursive: true })
  const port = await freePort()
  writeFileSync(
    join(folder, 'config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${folder}/host`,
      `AuthorizedKeysFile ${folder}/authorized`,
      `PidFile ${folder}/pid`,
      'UsePAM no',
      'PasswordAuthentication no',
      'StrictModes no',
      'PermitRootLogin yes',
      'MaxStartups 100',
      ...config,
    ].join('\n'),
  )
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'config')], { stdio: 'ignore' })
  await listening(port)
  const text = (file: string) => readFileSync(join(folder, file), 'utf8')
  return {
    port,
    hostKey: text('host.pub').trim(),
    privateKey: text('client'),
    privateKeyFile: join(folder, 'client'),
    encryptedKey: text('encrypted'),
    folder,
    async stop() {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch {
      await sleep(25)
    } finally {
      socket.destroy()
    }
  }
  throw new Error(`sshd does not listen on port ${port}`)
}
