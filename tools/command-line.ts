/**
 * The commands that overlab prints for a user to type: every message takes them from here.
 *
 * A message says `${overlabCommand('up')} restores it`, and the user reads what does just that when it is pasted:
 * `./overlab up`, `overlab up` where overlab was called by its name on PATH, `./overlab up --stack udp` where the lab
 * is another stack's than the selected one. Ask when the message is made, not when a module is loaded: the stack is
 * known only then. `pulumiCommand('config set backend udp')` is the same for Pulumi's own commands. Every folder may
 * import this file; it imports nothing that does.
 */
import { dirname } from 'node:path'
import { quote } from '../remote/quote.ts'

/** What a bare call would not do by itself. */
interface Aim {
  /** The stack, where it is not the selected one. */
  readonly stack?: string | undefined
  /** A Pulumi program of the user's own: there `up` is Pulumi's, since overlab's verbs are of this project's lab. */
  readonly ownProgram?: boolean
}

let aim: Aim = {}

/** Verbs about no lab: they have no `--stack`. */
const labless: ReadonlySet<string> = new Set(['doctor', 'report', 'help', '--help', '--version'])
const pulumiVerbs: ReadonlySet<string> = new Set(['up', 'preview', 'refresh', 'destroy'])

/**
 * From now on, printed commands act on this stack.
 * @param selected the stack that a command without `--stack` takes; without $PULUMI_STACK, which another shell has not
 */
export function printCommandsFor(
  stack: string | undefined,
  selected: string | undefined,
  ownProgram = false,
): void {
  aim = { stack: stack === selected ? undefined : stack, ownProgram }
}

/**
 * How overlab was called: `./overlab`, or what the launcher says (`overlab` by PATH, a path where it was called by one).
 */
export function overlabName(env: NodeJS.ProcessEnv = process.env): string {
  return env['OVERLAB_COMMAND'] ? quote(env['OVERLAB_COMMAND']) : './overlab'
}

/**
 * A command of overlab that acts on the lab that this process works on.
 * @param words the verb and what follows it, as a shell takes it: `up --yes`, `exec node1 -- ip route`
 */
export function overlabCommand(words: string): string {
  const [verb = '', ...rest] = words.split(' ')
  if (aim.ownProgram && pulumiVerbs.has(verb)) return ['pulumi', verb, ...stackWords(), ...rest].join(' ')
  return [overlabName(), verb, ...(labless.has(verb) ? [] : stackWords()), ...rest].join(' ')
}

/** A command of Pulumi for the same stack: `config set backend udp`. Outside the project's folder it goes there first. */
export function pulumiCommand(words: string): string {
  const folder = dirname(import.meta.dirname)
  const there = aim.ownProgram || process.cwd() === folder ? '' : `cd ${quote(folder)} && `
  return [`${there}npx pulumi ${words}`, ...stackWords()].join(' ')
}

/** Text that was written for the project's folder (`./overlab up`), as this user would type it. It names no stack. */
export function asCalled(text: string): string {
  return text.replaceAll(/(?<![\w./])\.\/overlab(?![\w/.])/g, () => overlabName())
}

function stackWords(): string[] {
  return aim.stack === undefined ? [] : ['--stack', quote(aim.stack)]
}
