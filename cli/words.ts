/** Reads a verb's command line. What it does not know is an error with the nearest known word, never ignored. */
import { parseArgs } from 'node:util'
import { suggestion } from '../inventory/suggest.ts'
import { quote } from '../remote/quote.ts'
import { UserError } from './user-error.ts'
import type { Given, Option, Options, Verb } from './verb.ts'

/** Every verb's own. */
export const helpOption: Options = { help: { value: true, what: 'This text', short: 'h' } }

/** Is a verb's help asked for? What stands behind `--` is a command of the user's; its own --help is not ours. */
export function asksForHelp(raw: readonly string[]): boolean {
  const own = raw.includes('--') ? raw.slice(0, raw.indexOf('--')) : raw
  return own.includes('--help') || own.includes('-h')
}

/** @throws UserError that says what to type instead */
export function readWords(name: string, verb: Verb, raw: readonly string[]): Given {
  if (verb.passesOn) return { options: {}, words: [], command: undefined, raw }
  const end = raw.indexOf('--')
  const own = end < 0 ? raw : raw.slice(0, end)
  const command = end < 0 ? undefined : raw.slice(end + 1)
  const { tokens } = parseArgs({
    args: [...own],
    options: Object.fromEntries(
      Object.entries(verb.options).map(([key, { value, short }]) => [
        key,
        { type: value === true ? ('boolean' as const) : ('string' as const), ...(short ? { short } : {}) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  if (verb.takesCommand && command === undefined && words.length > verb.words[1]) {
    const second = tokens.filter(({ kind }) => kind === 'positional')[verb.words[1]]!.index
    throw new UserError(
      'the command stands behind --',
      `overlab ${name} ${own.slice(0, second).map(quote).join(' ')} -- ${own.slice(second).map(quote).join(' ')}`,
    )
  }

  const options: Record<string, boolean | string> = {}
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(verb.options, token.name) ? verb.options[token.name] : undefined
    if (!option) throw unknownOption(token.rawName, { ...verb.options, ...helpOption })
    options[token.name] = valueOf(token.rawName, token.value, option)
  }
  checkCount(name, verb, words)
  if (command !== undefined && !verb.takesCommand)
    throw new UserError(`${name} takes no command behind --`, `overlab ${name} --help shows how it is used`)
  return { options: options as Given['options'], words, command, raw }
}

function valueOf(rawName: string, value: string | undefined, option: Option): boolean | string {
  if (option.value === true) {
    if (value !== undefined) throw new UserError(`${rawName} takes no value`, `give ${rawName} alone`)
    return true
  }
  // A forgotten value would swallow the next option.
  if (value === undefined || value === '' || value.startsWith('-'))
    throw new UserError(`${rawName} wants a value`, `${rawName} ${option.value}`)
  return value
}

function unknownOption(rawName: string, options: Options): UserError {
  const known = Object.keys(options)
  const meant = suggestion(rawName.replace(/^-+/, ''), known)
  return new UserError(
    `there is no option ${rawName}`,
    meant.startsWith('did you mean')
      ? meant.replace('mean ', 'mean --')
      : `use one of ${known.map((key) => `--${key}`).join(', ')}`,
  )
}

function checkCount(name: string, verb: Verb, words: readonly string[]): void {
  const [least, most] = verb.words
  const usage = verb.usage.map((line) => `overlab ${line}`).join('  or  ')
  if (words.length < least)
    throw new UserError(`${name} wants ${least > 1 ? `${least} words` : 'a word'} more`, usage)
  if (words.length > most) throw new UserError(`${words[most]} is a word too many`, usage)
}
