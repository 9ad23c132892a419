import { type Channels, channelsOf } from './channels.ts'
import { connect, type ConnectOptions } from './connect.ts'
import type { Connection } from './connection.ts'
import { HostError } from './errors.ts'
import { closed } from './failures.ts'
import { type Result, type RunOptions, runScript } from './script.ts'
import type { Target } from './target.ts'

export type { Result, RunOptions } from './script.ts'

/** One SSH connection to one host. */
export interface Session {
  readonly target: Target
  /** Commands run so far. */
  readonly roundTrips: number
  /**
   * Runs a POSIX shell script, given on standard input. Its commands find their own input empty. A non-zero
   * exit code is a value; up to 8 scripts run at once, more wait.
   *
   * @throws HostError for a lost connection, a timeout, a cancel, a shell killed by a signal or too much output
   */
  run(script: string, options?: RunOptions): Promise<Result>
  /** Ends the connection; commands still running fail. */
  close(): Promise<void>
}

export interface SessionOptions extends ConnectOptions {
  /** Most bytes of a command's output, both streams together; more is an error. Default 64 MB. */
  readonly maxOutput?: number
  /** How long a finished script's output may stay open and silent, in ms. Default 10 s. */
  readonly lingerMs?: number
  /** Called when the last command has ended. */
  readonly onIdle?: () => void
}

/** What lies beneath a Session, for the other parts of this folder. */
export interface Wire {
  readonly connection: Connection
  readonly channels: Channels
  /** Counts `work` as one round trip, and the session as in use until it ends. */
  readonly track: <T>(work: () => Promise<T>) => Promise<T>
  /** Counts the session as in use until the returned function is called (once). */
  readonly hold: () => () => void
  /** Commands that run or wait now. */
  readonly running: number
  /** performance.now() at the host's last known sign of life. */
  readonly lastAlive: number
}

const wires = new WeakMap<Session, Wire>()

/** @throws HostError where the session is not one of `openSession` */
export function wireOf(session: Session): Wire {
  const wire = wires.get(session)
  if (!wire) throw new HostError(closed(session.target, 'stream'))
  return wire
}

/** Connects; refused, unreachable and late attempts are tried again. @throws HostError of step `connect` */
export async function openSession(target: Target, options: SessionOptions = {}): Promise<Session> {
  const connection = await connect(target, options)
  const channels = channelsOf(connection.client)
  const limits = { maxOutput: options.maxOutput ?? 64 * 2 ** 20, lingerMs: options.lingerMs ?? 10_000 }
  let isClosed = false
  let roundTrips = 0
  let running = 0
  let lastAlive = performance.now()
  const hold = () => {
    running++
    return () => {
      running--
      if (running === 0) options.onIdle?.()
    }
  }
  const track = async <T>(work: () => Promise<T>): Promise<T> => {
    roundTrips++
    const release = hold()
    try {
      const result = await work()
      lastAlive = performance.now()
      return result
    } finally {
      release()
    }
  }
  const session: Session = {
    target,
    get roundTrips() {
      return roundTrips
    },
    async run(script, runOptions = {}) {
      if (isClosed) throw new HostError(closed(target, runOptions.step ?? 'run'))
      return track(() => runScript(target, connection, channels, script, runOptions, limits))
    },
    async close() {
      isClosed = true
      await connection.close()
    },
  }
  wires.set(session, {
    connection,
    channels,
    track,
    hold,
    get running() {
      return running
    },
    get lastAlive() {
      return lastAlive
    },
  })
  return session
}
