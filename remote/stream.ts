import type { Readable, Writable } from 'node:stream'
import type { ClientChannel, ExecOptions } from 'ssh2'
import { isAtEnd, kill, onClosed } from './channels.ts'
import { HostError } from './errors.ts'
import { cancelled, closed, lost, noChannel } from './failures.ts'
import { quote } from './quote.ts'
import { type Session, wireOf } from './session.ts'
import { rootLine } from './shell.ts'

/** A terminal's size and its changes; `process.stdout` is one when it is a terminal. */
interface Sized {
  readonly columns?: number
  readonly rows?: number
}

export interface StreamOptions {
  /** Without it the command finds its input empty. */
  readonly stdin?: Readable & { setRawMode?(raw: boolean): unknown; readonly isTTY?: boolean }
  readonly stdout: Writable & Sized
  /** With a `pty` the host mixes both outputs into `stdout`. */
  readonly stderr: Writable
  /** A terminal on the host: for shells, editors, pagers. Its size follows `stdout`. */
  readonly pty?: boolean
  /** For errors. Default `exec`. */
  readonly step?: string
  readonly signal?: AbortSignal
}

/** As shells report a death by signal: 128 and its number. */
const signals: Readonly<Record<string, number>> = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGABRT: 6, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11,
  SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15,
} // prettier-ignore

/**
 * Runs a command with its streams joined to the caller's, for as long as it takes, and gives its exit code
 * (128 + number where a signal killed it). A string is a POSIX shell's command line, a list is its words.
 * The outputs are never ended or closed; a reader that left (EPIPE) ends the command with 141 as a shell would.
 *
 * @throws HostError for a lost connection or a cancel
 */
export async function stream(
  session: Session,
  command: string | readonly string[],
  options: StreamOptions,
): Promise<number> {
  const { target } = session
  const { stdin, stdout, stderr, pty = false, step = 'exec', signal } = options
  const { connection, channels, track } = wireOf(session)
  const line = typeof command === 'string' ? command : command.map(quote).join(' ')
  const ended = connection.ended()
  if (ended) throw new HostError(lost(target, step, ended.cause))
  if (signal?.aborted) throw new HostError(cancelled(target, step))
  const exec: ExecOptions = pty
    ? { pty: { term: process.env['TERM'] ?? 'xterm', cols: stdout.columns ?? 80, rows: stdout.rows ?? 24 } }
    : {}

  const use = (channel: ClientChannel) =>
    new Promise<number>((resolve, reject) => {
      const undo: (() => void)[] = []
      const settle = (outcome: number | HostError) => {
        for (const step of undo.splice(0)) step()
        if (outcome instanceof HostError) {
          void kill(connection.client, channel)
          reject(outcome)
        } else resolve(outcome)
      }
      const on = (emitter: NodeJS.EventEmitter, event: string, listener: () => void) => {
        emitter.on(event, listener)
        undo.push(() => emitter.off(event, listener))
      }
      let code: number | null = null
      channel.on('exit', (status: number | null, name?: string) => {
        code = status ?? 128 + (signals[name ?? ''] ?? 0)
      })
      onClosed(channel, () => {
        const end = connection.ended()
        const outcome = code ?? new HostError(lost(target, step, end?.cause))
        // A slow reader gets the rest before the exit code is told, since the caller may end the process with it.
        void Promise.all([flushed(stdout), flushed(stderr)]).then(() => settle(outcome))
      })
      undo.push(
        connection.onEnd((cause) => {
          if (code === null || !isAtEnd(channel)) settle(new HostError(lost(target, step, cause)))
        }),
      )
      for (const [from, to] of [
        [channel, stdout],
        [channel.stderr, stderr],
      ] as const) {
        from.pipe(to, { end: false })
        undo.push(() => from.unpipe(to))
        on(to, 'error', () => {
          void kill(connection.client, channel)
          settle(141)
        })
      }
      if (signal) {
        const abort = () => settle(new HostError(cancelled(target, step)))
        signal.addEventListener('abort', abort)
        undo.push(() => signal.removeEventListener('abort', abort))
      }
      if (pty) {
        on(stdout, 'resize', () => channel.setWindow(stdout.rows ?? 24, stdout.columns ?? 80, 0, 0))
        if (stdin?.isTTY) {
          stdin.setRawMode?.(true)
          undo.push(() => stdin.setRawMode?.(false))
        }
      }
      if (stdin) {
        stdin.pipe(channel)
        undo.push(() => {
          stdin.unpipe(channel)
          // Else a terminal as input keeps the process alive.
          stdin.pause()
        })
      } else channel.end()
    })

  return track(async () => {
    try {
      return await channels.with(rootLine(line, target.become ?? false), exec, use)
    } catch (error) {
      if (error instanceof HostError) throw error
      const end = connection.ended()
      throw new HostError(
        end
          ? end.cause
            ? lost(target, step, end.cause)
            : closed(target, step)
          : noChannel(target, step, error as Error),
        { cause: error },
      )
    }
  })
}

/** All that was written before has been taken; also where the reader has left. */
function flushed(writable: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (writable.writableLength === 0 || writable.destroyed) return resolve()
    writable.once('close', resolve)
    writable.write('', () => resolve())
  })
}
