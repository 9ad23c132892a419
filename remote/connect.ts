import { setTimeout as sleep } from 'node:timers/promises'
import { NodeSSH } from 'node-ssh'
import { algorithms } from './algorithms.ts'
import { type Backoff, wait } from './backoff.ts'
import { type Connection, watch } from './connection.ts'
import { HostError } from './errors.ts'
import { badIdentity, cancelled, type Diagnosis, diagnose } from './failures.ts'
import { type HostKey, parseHostKey, sameKey } from './host-key.ts'
import { identification } from './identification.ts'
import { type Login, loginOf } from './identity.ts'
import { directSocket, JumpError, type Shared, shareOf, socketThrough } from './jump.ts'
import type { Target } from './target.ts'

/** Times are in milliseconds. */
export interface ConnectOptions {
  /** One attempt: TCP, key exchange and authentication. Default 10 s. */
  readonly attemptMs?: number
  /** No new attempt starts after this time. Default 20 s. */
  readonly overallMs?: number
  /** Default: 6 attempts, 100 ms doubling up to 2 s. */
  readonly backoff?: Partial<Backoff>
  /** A question goes out after this much silence; the fourth one without an answer ends the connection. Default 5 s. */
  readonly keepaliveMs?: number
  readonly signal?: AbortSignal
  /** Runs one attempt when its turn has come: the pool's limit. The waits between attempts take no turn. */
  readonly turn?: <T>(attempt: () => Promise<T>) => Promise<T>
  /** Gives the connection to a jump host: the pool's, which hosts share. One of its own unless told. */
  readonly share?: (jump: Target) => Promise<Shared>
}

/**
 * Connects, and only that is ever tried again: refused, unreachable, late and cut-off attempts are, after a
 * wait with jitter; a wrong host key or a refused client key is not.
 *
 * @throws HostError of step `connect`
 */
export async function connect(target: Target, options: ConnectOptions = {}): Promise<Connection> {
  const { attemptMs = 10_000, overallMs = 20_000, turn = (attempt) => attempt() } = options
  const backoff = { attempts: 6, baseMs: 100, capMs: 2_000, ...options.backoff }
  const pinned = pinnedKey(target)
  const login = await loginOf(target)
  const deadline = performance.now() + overallMs
  for (let attempt = 1; ; attempt++) {
    // Before its turn: were all turns taken by hosts that wait for their jump host, it would never get one.
    const jump = target.jump && (await jumpOf(target, target.jump, options))
    const outcome = await turn(() => once(target, login, pinned, jump, attemptMs, options))
    if ('client' in outcome) return outcome
    const pause = wait(attempt, backoff)
    if (outcome.final || attempt >= backoff.attempts || performance.now() + pause > deadline) {
      throw new HostError(
        {
          host: target.name,
          step: 'connect',
          why: outcome.why + (attempt > 1 ? `, ${attempt} times` : ''),
          ...(outcome.hint !== undefined && { hint: outcome.hint }),
        },
        { cause: outcome.error },
      )
    }
    try {
      await sleep(pause, undefined, options.signal ? { signal: options.signal } : {})
    } catch {
      throw new HostError(cancelled(target, 'connect'))
    }
  }
}

/** Undefined where none is known yet. */
function pinnedKey(target: Target): HostKey | undefined {
  if (target.hostKey === '') return undefined
  try {
    return parseHostKey(target.hostKey)
  } catch (error) {
    throw new HostError({
      host: target.name,
      step: 'connect',
      why: `the pinned host key ${(error as Error).message}`,
      hint: 'give the line of /etc/ssh/ssh_host_ed25519_key.pub of that host',
    })
  }
}

async function jumpOf(target: Target, jump: Target, options: ConnectOptions): Promise<Shared> {
  const { share = (one: Target) => ownJump(one, options) } = options
  try {
    return await shareOf(jump, share)
  } catch (error) {
    if (options.signal?.aborted) throw new HostError(cancelled(target, 'connect'), { cause: error })
    const { why, hint } = jumpDiagnosis(error as Error)
    throw new HostError(
      { host: target.name, step: 'connect', why, ...(hint !== undefined && { hint }) },
      { cause: error },
    )
  }
}

function jumpDiagnosis(error: Error): Diagnosis {
  const { hint, final } = error instanceof JumpError ? error : { hint: undefined, final: true }
  return { why: error.message, ...(hint !== undefined && { hint }), final }
}

/** A connection to a jump host for one host alone. */
async function ownJump(jump: Target, options: ConnectOptions): Promise<Shared> {
  const connection = await connect(jump, options)
  return { connection, release: () => void connection.close() }
}

/** One attempt: a connection, or why there is none. */
async function once(
  target: Target,
  login: Login,
  pinned: HostKey | undefined,
  jump: Shared | undefined,
  timeoutMs: number,
  options: ConnectOptions,
): Promise<Connection | (Diagnosis & { error: Error })> {
  const { keepaliveMs = 5_000, signal } = options
  // Here, since the wait for a turn may have been long.
  if (signal?.aborted) {
    jump?.release()
    throw new HostError(cancelled(target, 'connect'))
  }
  let socket
  try {
    socket = jump && target.jump ? await socketThrough(target.jump, jump, target) : directSocket(target)
  } catch (error) {
    if (signal?.aborted) throw new HostError(cancelled(target, 'connect'), { cause: error })
    return { ...jumpDiagnosis(error as Error), error: error as Error }
  }
  let presented: Buffer | undefined
  let lastError: Error | undefined
  const remember = (error: Error) => (lastError ??= error)
  // Stays for ever: ssh2 also reports a reset of an idle connection as an 'error' event, which would end the process.
  socket.on('error', remember)
  const abort = () => socket.destroy(new Error('cancelled'))
  signal?.addEventListener('abort', abort)
  const ssh = new NodeSSH()
  const deadline = performance.now() + timeoutMs
  try {
    await identification(socket, timeoutMs)
    const connecting = ssh.connect({
      sock: socket,
      username: target.user,
      ...login,
      readyTimeout: Math.max(1, Math.round(deadline - performance.now())),
      keepaliveInterval: keepaliveMs,
      keepaliveCountMax: 3,
      algorithms: algorithms(pinned),
      hostVerifier: (blob: Buffer) => {
        if (pinned && sameKey(blob, pinned.blob)) return true
        presented = Buffer.from(blob)
        return false
      },
    })
    // node-ssh drops its own listener when the connection is ready; ours must be there before.
    ssh.connection?.on('error', remember)
    await connecting
    // Read inside this turn of the event loop: node-ssh sets it to null at the end of the connection.
    const client = ssh.connection
    if (!client) throw lastError ?? new Error('No response from server')
    return watch(
      client,
      () => socket.destroy(),
      () => lastError,
    )
  } catch (caught) {
    socket.destroy()
    const error = lastError ?? (caught as Error)
    if (/parse privateKey|valid\) private key/.test(error.message)) {
      throw new HostError(badIdentity(target, error), { cause: error })
    }
    if (signal?.aborted) throw new HostError(cancelled(target, 'connect'), { cause: error })
    return { ...diagnose(target, error, { pinned, presented, timeoutMs }), error }
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
