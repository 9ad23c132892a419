import { quote } from './quote.ts'

/**
 * Where every script and every command of a person finds its tools, and no other place says: the login's own folders,
 * then those that each system has. Start-up files may leave out `sbin`, where `bridge` and `iptables` lie.
 */
export const setPath = 'export PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"'

/**
 * How a script reaches a shell. The command line is the same for every script, so nothing of a script shows
 * in a process list or is read by the user's login shell, which may be any.
 *
 * - The first line of standard input is a mark and the script's length in bytes; the script follows.
 * - The mark comes back on both outputs before the script's own. What a start-up file of the login shell
 *   printed (bash reads ~/.bashrc when sshd starts it) stands before it and is dropped; without a mark no
 *   `sh` was started.
 * - On standard error the shell's process id stands beside the mark: sshd refuses to pass signals on to a
 *   root's command, so that killing it takes a second command.
 * - The shell reads the whole script before it runs any of it: a connection lost on the way never runs half
 *   a line, and a command which reads standard input finds it empty rather than the rest of the script.
 * - LC_ALL=C: lengths are bytes, and tools speak English wherever the host is.
 */
export const shellCommand =
  `exec sh -c '${setPath}; export LC_ALL=C; read -r m n; echo "$m"; echo "$m $$" >&2; s=$(head -c "$n"); ` +
  `[ \${#s} -eq "$n" ] || { echo "$m" >&2; exit 113; }; exec </dev/null; eval "unset m n s;$s"'`

/**
 * The same as root. sudo drops the environment, and the script is to know from where it is reached. Every login shell
 * reads these words alike (csh knows no `VAR=value command`, hence `env`).
 */
const asRoot = `exec env LC_ALL=C sudo -n -- env "SSH_CONNECTION=$SSH_CONNECTION" `

/** A command line of this file's kind (`exec sh -c ...`) for a user who must become root first. */
export function become(command: string): string {
  return command.replace(/^exec /, asRoot)
}

/** One command line that runs a script, as root where `become` says so. Every login shell reads it alike. */
export function rootLine(script: string, asRoot: boolean): string {
  const line = `exec sh -c ${quote(forAnyShell(`${setPath}; ${script}`))}`
  return asRoot ? become(line) : line
}

/**
 * Between single quotes csh still expands `!` and ends at a newline, and fish takes `\\` for one backslash. Where a
 * script has one of the three, they go as octal numbers of printf, which are the same to every shell.
 */
function forAnyShell(script: string): string {
  if (!/[!\n\\]/.test(script)) return script
  const octal = (character: string): string => `\\0${character.charCodeAt(0).toString(8).padStart(3, '0')}`
  // Without `"`, `$` and the backquote, which are special where printf's word stands.
  return `eval "$(printf %b "${script.replaceAll(/[!\n\\"$`]/g, octal)}")"`
}

/** @throws RangeError for a zero byte, which no shell can carry. */
export function input(script: string, mark: string): Buffer {
  if (script.includes('\0')) throw new RangeError('a script cannot hold a zero byte')
  // The last line may be a comment, and $(...) drops trailing newlines: `exit` ends it with the code of its last command.
  const body = Buffer.from(`${script}\nexit`)
  return Buffer.concat([Buffer.from(`${mark} ${body.length}\n`), body])
}

/** The script's own output: what follows the mark's line. Undefined where the mark is missing. */
export function afterMark(output: Buffer, mark: string): Buffer | undefined {
  const at = output.indexOf(mark)
  const end = at < 0 ? -1 : output.indexOf('\n', at)
  return end < 0 ? undefined : output.subarray(end + 1)
}

/** The shell's process id, which is its process group's too. Undefined where it has not come yet. */
export function shellPid(stderr: Buffer, mark: string): number | undefined {
  const found = new RegExp(`${mark} ([0-9]+)\n`).exec(stderr.toString('latin1'))
  return found ? Number(found[1]) : undefined
}

/** True where the shell said that the script came in short: a second mark, and nothing else. */
export function isTruncated(exitCode: number, stderrAfterMark: Buffer, mark: string): boolean {
  return exitCode === 113 && stderrAfterMark.toString() === `${mark}\n`
}
