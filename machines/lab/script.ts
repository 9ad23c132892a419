/** Runs one of the scripts of this folder or its neighbours as root. Values travel as arguments: no shell ever parses them. */
import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { HostError } from '../../remote/errors.ts'
import { asRoot, requireRoot } from '../privilege.ts'

/** sbin, since a user's own PATH often lacks it; nothing else of the environment reaches a script. */
export const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface Place {
  readonly host: string
  readonly step: string
  readonly object?: string
}

/**
 * Runs `script`, such as `lab/stop.sh`, to its end. `answer` is called once, with what the script printed before its line `end`; what it
 * returns goes to the script's standard input. If it throws, the script is told `no` and that error is thrown.
 * `say` gets each line that it prints, as it comes. `signal` kills it, with all that it started.
 * @throws HostError with the tail of the script's stderr where it fails.
 */
export async function runScript(
  place: Place,
  script: string,
  args: readonly string[],
  answer?: (printed: string) => string,
  say?: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted()
  await requireRoot()
  const [command = 'sh', ...rest] = [...asRoot(), 'sh', join(import.meta.dirname, '..', script), ...args]
  // A session of its own: Ctrl-C at the terminal ends overlab, not a script halfway.
  const child = spawn(command, rest, { env: { PATH: path }, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  const kill = () => {
    try {
      process.kill(-child.pid!, 'SIGTERM')
    } catch {
      // It has ended; or it is sudo's, and comes to its own end.
    }
  }
  signal?.addEventListener('abort', kill)
  const stderr: Buffer[] = []
  let printed = ''
  let refused: { error: unknown } | undefined
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on('error', () => undefined) // A script that ended early says why on stderr.
  if (!answer) child.stdin.end()
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk
    if (say) printed = sayLines(printed, say)
    if (!answer || !printed.endsWith('\nend\n')) return
    try {
      child.stdin.end(`${answer(printed.slice(0, -'end\n'.length))}\n`)
    } catch (error) {
      refused = { error }
      child.stdin.end('no\n')
    }
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  }).finally(() => signal?.removeEventListener('abort', kill))
  signal?.throwIfAborted()
  if (refused) throw refused.error
  if (code === 0) return
  throw new HostError({
    ...place,
    why: code === null ? `${script} was killed` : `${script} failed`,
    ...(code === null ? {} : { exitCode: code }),
    stderr: Buffer.concat(stderr).toString('utf8'),
  })
}

/** Says every whole line; what is left of the text. */
function sayLines(text: string, say: (line: string) => void): string {
  const lines = text.split('\n')
  const rest = lines.pop() ?? ''
  lines.forEach(say)
  return rest
}

/** Is there a program of this name where scripts look for it? */
export async function findProgram(name: string): Promise<boolean> {
  const found = await Promise.all(
    path.split(':').map((folder) =>
      access(join(folder, name), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  )
  return found.includes(true)
}
