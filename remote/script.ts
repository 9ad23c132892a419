import { randomBytes } from 'node:crypto'
import type { ClientChannel } from 'ssh2'
import { type Channels, isAtEnd, kill, onClosed } from './channels.ts'
import type { Connection } from './connection.ts'
import { HostError, type HostFailure } from './errors.ts'
import * as failures from './failures.ts'
import { afterMark, become, input, isTruncated, shellCommand, shellPid } from './shell.ts'
import type { Target } from './target.ts'

export interface Result {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

export interface RunOptions {
  /** What this command is for, as errors name it: `probe`, `apply routes`. Default `run`. */
  readonly step?: string
  /** From the command's start, without its wait for a channel. Default 120 s. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface ScriptLimits {
  /** Most bytes of both outputs together. */
  readonly maxOutput: number
  /** How long an output may stay open and silent after the script's end, in ms. */
  readonly lingerMs: number
}

/** Runs one script on an open connection. @throws HostError */
export async function runScript(
  target: Target,
  connection: Connection,
  channels: Channels,
  script: string,
  { step = 'run', timeoutMs = 120_000, signal }: RunOptions,
  limits: ScriptLimits,
): Promise<Result> {
  const mark = randomBytes(12).toString('hex')
  const bytes = input(script, mark)
  const asRoot = target.become ?? false
  const gone = () => {
    const ended = connection.ended()
    return ended && new HostError(failures.lost(target, step, ended.cause), ended)
  }
  if (signal?.aborted) throw new HostError(failures.cancelled(target, step))
  return new Promise<Result>((resolve, reject) => {
    let channel: ClientChannel | undefined
    let over = false
    const out: Buffer[] = []
    const err: Buffer[] = []
    const errTail = () => {
      const all = Buffer.concat(err)
      return (afterMark(all, mark) ?? all).toString()
    }
    let release = () => {}
    let forget = () => {}
    const settle = (result: Result | HostFailure | HostError) => {
      if (over) return
      over = true
      clearTimeout(timer)
      clearTimeout(linger)
      signal?.removeEventListener('abort', abort)
      forget()
      if ('exitCode' in result && 'stdout' in result) resolve(result)
      else {
        const error = result instanceof HostError ? result : new HostError(result)
        const dead = channel
          ? kill(connection.client, channel, { pid: shellPid(Buffer.concat(err), mark), asRoot })
          : undefined
        void Promise.resolve(connection.ended() ? undefined : dead).then(() => reject(error))
      }
      release()
    }
    let timer: NodeJS.Timeout | undefined
    let linger: NodeJS.Timeout | undefined
    const abort = () => settle(failures.cancelled(target, step))
    signal?.addEventListener('abort', abort)
    forget = connection.onEnd((cause) => {
      // Everything had arrived before the connection went: the channel's own 'close' still follows.
      if (channel && exit && isAtEnd(channel)) return
      settle(new HostError(failures.lost(target, step, cause), { cause }))
    })
    let exit: { code: number | null; signal?: string } | undefined

    const use = (opened: ClientChannel) =>
      new Promise<void>((done) => {
        release = done
        if (over) {
          void kill(connection.client, opened)
          return done()
        }
        channel = opened
        timer = setTimeout(() => settle(failures.timedOut(target, step, timeoutMs, errTail())), timeoutMs)
        let size = 0
        const collect = (chunks: Buffer[]) => (chunk: Buffer) => {
          if (over) return
          size += chunk.length
          if (size > limits.maxOutput) return settle(failures.tooMuchOutput(target, step, limits.maxOutput))
          chunks.push(chunk)
          if (exit) watchLinger()
        }
        const watchLinger = () => {
          clearTimeout(linger)
          // A killed script's exit comes after it was settled; a timer then would hold up the process's end.
          if (over) return
          linger = setTimeout(
            () => settle(failures.lingering(target, step, exit?.code ?? -1, limits.lingerMs)),
            limits.lingerMs,
          )
        }
        opened.on('data', collect(out))
        opened.stderr.on('data', collect(err))
        opened.on('exit', (code: number | null, name?: string) => {
          exit = name === undefined ? { code } : { code, signal: name }
          watchLinger()
        })
        onClosed(opened, () => {
          if (over) return
          if (exit?.signal !== undefined) {
            return settle(failures.diedBySignal(target, step, exit.signal, errTail()))
          }
          // No exit code is no success: the connection or sshd's child died before it could tell.
          const code = exit?.code ?? null
          if (code === null) return settle(gone() ?? failures.lost(target, step))
          settle(result(target, step, code, Buffer.concat(out), Buffer.concat(err), mark))
        })
        // ssh2 sends it as fast as the server's window opens. The input stays open, so that `kill` can signal.
        opened.write(bytes)
      })

    channels.with(asRoot ? become(shellCommand) : shellCommand, {}, use).catch((error: Error) => {
      settle(gone() ?? new HostError(failures.noChannel(target, step, error), { cause: error }))
    })
  })
}

function result(target: Target, step: string, exitCode: number, out: Buffer, err: Buffer, mark: string) {
  const stdout = afterMark(out, mark)
  const stderr = afterMark(err, mark)
  if (!stdout || !stderr)
    return failures.noShell(target, step, exitCode, Buffer.concat([out, err]).toString())
  if (isTruncated(exitCode, stderr, mark)) return failures.truncated(target, step)
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode }
}
