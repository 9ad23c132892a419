/** How a connection's bytes get to a host: straight by TCP, or through the sshd of a jump host. */
import { connect as tcp } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Connection } from './connection.ts'
import { endpoint } from './endpoint.ts'
import type { Target } from './target.ts'

/** A connection that is used by others too. */
export interface Shared {
  readonly connection: Connection
  /** Called once, when this use of it has ended. */
  readonly release: () => void
}

export class JumpError extends Error {
  readonly hint: string | undefined
  /** Another attempt cannot help: what could be tried again on the way to the jump host has been. */
  readonly final: boolean
  constructor(
    why: string,
    { hint, final = true, ...options }: ErrorOptions & { hint?: string | undefined; final?: boolean } = {},
  ) {
    super(why, options)
    this.hint = hint
    this.final = final
  }
}

/** Without noDelay the kernel holds back a small packet until the one before it is acknowledged, up to 40 ms. */
export function directSocket({ host, port }: Target): Duplex {
  return tcp({ host, port, noDelay: true })
}

/** The connection to a host's jump host. @throws JumpError that says which host it was */
export async function shareOf(jump: Target, share: (jump: Target) => Promise<Shared>): Promise<Shared> {
  return share(jump).catch((error: Error & { why?: string; hint?: string }) => {
    throw new JumpError(`${at(jump)}: ${error.why ?? error.message}`, { hint: error.hint, cause: error })
  })
}

/** @throws JumpError */
export async function socketThrough(
  jump: Target,
  { connection, release }: Shared,
  { host, port }: Target,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      release()
      reject(error)
    }
    const forget = connection.onEnd(() => fail(new JumpError(`${at(jump)} closed the connection`)))
    try {
      connection.client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
        forget()
        if (error) return fail(refusal(at(jump), endpoint(host, port), error))
        // For good, as for every socket: a late error must not end the process.
        channel.on('error', () => {})
        channel.once('close', release)
        resolve(channel)
      })
    } catch (error) {
      fail(new JumpError(`${at(jump)}: ${(error as Error).message}`))
    }
  })
}

function at(jump: Target): string {
  return `the jump host ${endpoint(jump.host, jump.port)}`
}

/** RFC 4254, 5.1: 1 is administratively prohibited, 2 is connect failed. */
function refusal(from: string, to: string, error: Error & { reason?: unknown }): JumpError {
  const words = error.message.replace(/^\(SSH\) Channel open failure: /, '')
  return error.reason === 1
    ? new JumpError(`${from} does not forward connections (${words})`, {
        hint: 'it needs `AllowTcpForwarding yes` (or `local`) in its sshd_config, and no `no-port-forwarding` for this key',
      })
    : new JumpError(`${from} cannot reach ${to} (${words})`, {
        hint: 'is the host up, and its address right as the jump host sees it?',
        final: false,
      })
}
