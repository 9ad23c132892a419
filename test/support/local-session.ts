/** A stand-in for a Session: its scripts run under sh in a network namespace of this machine, without SSH. */
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import type { Result } from '../../remote/script.ts'
import type { Session } from '../../remote/session.ts'
import type { Target } from '../../remote/target.ts'
import { makeNic } from './nic.ts'

const run = promisify(execFile)
let made = 0

export interface LocalSession extends Pick<Session, 'target' | 'run'> {
  readonly namespace: string
  /** Scripts run so far. */
  readonly scripts: readonly string[]
  /** Runs a script that must succeed, outside of the count; returns its standard output. */
  sh(script: string): Promise<string>
  /** Removes the namespace and all that is in it. */
  remove(): Promise<void>
}

/**
 * A network namespace with eth0 (192.168.77.1/24) and the other end of its veth pair, far0. `prologue` runs before
 * every script, in the same shell and in a mount namespace of the script's own, so that what it mounts goes again.
 */
export async function localSession(options: { prologue?: string } = {}): Promise<LocalSession> {
  const namespace = `ovl-${process.pid}-${++made}`
  const scripts: string[] = []
  const sh = async (script: string): Promise<string> => {
    const { stdout, stderr, exitCode } = await execute(namespace, `set -e\n${script}`)
    if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${script}\n${stderr}`)
    return stdout
  }
  await run('ip', ['netns', 'add', namespace])
  const session: LocalSession = {
    namespace,
    scripts,
    target: {
      name: 'node1',
      host: '127.0.0.1',
      port: 22,
      user: 'root',
      identityFile: '',
      hostKey: '',
    } satisfies Target,
    run(script) {
      scripts.push(script)
      return execute(namespace, `${options.prologue ?? ''}\n${script}`)
    },
    sh,
    remove: async () => void (await run('ip', ['netns', 'del', namespace])),
  }
  try {
    await sh(`ip link set lo up\n${makeNic}`)
  } catch (error) {
    await session.remove()
    throw error
  }
  return session
}

function execute(namespace: string, script: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const args = [
      `--net=/run/netns/${namespace}`,
      'unshare',
      '--mount',
      'sh',
      '-c',
      'script=$(cat); exec </dev/null; eval "$script"',
    ]
    const child = spawn('nsenter', args, { env: { PATH: process.env['PATH'], LC_ALL: 'C' } })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
        exitCode: code ?? -1,
      }),
    )
    child.stdin.on('error', () => {})
    child.stdin.end(script)
  })
}
