/** Finding and running the machine's programs. */
import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** System tools live here even where a user's PATH does not say so (Debian's default for non-root users). */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin']

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    const stat = statSync(path)
    return stat.isFile() && stat.size > 0
  } catch {
    return false
  }
}

/** The path of a program, searched in PATH and the system's own folders; undefined where there is none. */
export function findCommand(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = [...(env['PATH'] ?? '').split(delimiter).filter(Boolean), ...systemFolders]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

export interface Result {
  /** Exit code; 127 where the program could not be started, 124 after the time limit, 128 + n after signal n. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly input?: string
  /** Milliseconds, then the program and its children are ended, as far as this user may. */
  readonly timeout?: number
  /** Called with every line of standard error as it comes. */
  readonly onLine?: (line: string) => void
  /** The user's terminal instead of pipes, so that a program can ask (sudo). */
  readonly inherit?: boolean
}

/** Runs one program without a shell. Never throws; a failure is its exit code. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      stdio: options.inherit ? 'inherit' : 'pipe',
      detached: options.timeout !== undefined,
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    let rest = ''
    const timer =
      options.timeout === undefined
        ? undefined
        : setTimeout(() => {
            try {
              if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
            } catch {
              // Root's (behind sudo), or only a child in a session of its own is left: not waited for, either way.
            }
            for (const stream of child.stdio) stream?.destroy()
            child.unref()
            end(124)
          }, options.timeout)
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => {
      err.push(chunk)
      if (!options.onLine) return
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(options.onLine)
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input ?? '')
    const end = (code: number, message = '') => {
      clearTimeout(timer)
      resolve({
        code,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString() + message,
      })
    }
    child.on('error', (error) => end(127, error.message))
    child.on('close', (code, signal) => end(code ?? (signal === 'SIGKILL' ? 137 : 143)))
  })
}
