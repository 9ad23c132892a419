/** How the command of an act reaches its host: by standard input, as a secret. Pure. */
import { quote } from '../remote/quote.ts'
import { rootLine } from '../remote/shell.ts'

export interface ActText {
  readonly command: string
  /** Of the act when it is taken back. */
  readonly delete?: string
  readonly environment: Readonly<Record<string, string>>
}

export interface CarriedAct {
  /** The command lines, which everybody may see: they hold the label and nothing of the act. */
  readonly create: string
  readonly delete?: string
  /** What both read: all that may be a secret. */
  readonly stdin: string
}

/** The last line of a script: one that was cut short on its way is not run. */
const end = '# whole'

/**
 * Reads both scripts by their lengths in bytes, and runs the one that is asked for. Its commands find their input
 * empty. `$0` is the label, by which the shell's own messages are named.
 */
const reader = [
  'read -r r d',
  'r=$(head -c "$r")',
  'd=$(head -c "$d")',
  'exec </dev/null',
  '[ "$1" = run ] || r=$d',
  'shift',
  `case $r in *"${end}") eval "unset r d;$r";; *) echo "$0: came in cut short, and was not run" >&2; exit 113;; esac`,
].join('; ')

/**
 * @param label what an error and a process list show: `node1, act 2: token`
 * @throws RangeError for a zero byte, which no shell can carry
 */
export function carried(
  label: string,
  { command, delete: undo, environment }: ActText,
  become: boolean,
): CarriedAct {
  const settings = Object.entries(environment).map(([key, value]) => `export ${key}=${quote(value)}`)
  const script = (line: string) => [...settings, line, end].join('\n')
  const run = script(command)
  const undoing = undo === undefined ? '' : script(undo)
  const line = (what: 'run' | 'delete') => `${rootLine(reader, become)} ${quote(label)} ${what}`
  return {
    create: line('run'),
    ...(undo !== undefined && { delete: line('delete') }),
    stdin: `${Buffer.byteLength(run)} ${Buffer.byteLength(undoing)}\n${run}${undoing}`,
  }
}
