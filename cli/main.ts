/** From words to a verb, and from what it throws to one clear line. */
import { CommanderError } from 'commander'
import { InventoryErrors } from '../inventory/mistakes.ts'
import { HostError } from '../remote/errors.ts'
import { closeToOthers } from '../tools/own-folder.ts'
import { wasInterrupted } from './interrupt.ts'
import { insteadOf } from './other-words.ts'
import { complain } from './output.ts'
import { program } from './program.ts'
import { UserError } from './user-error.ts'
import { verbs } from './verbs.ts'
import { overlabName } from '../tools/command-line.ts'

/** Runs `overlab WORDS`; the exit status. Never throws. */
export async function main(words: readonly string[]): Promise<number> {
  closeToOthers()
  try {
    await program().parseAsync(words.length === 0 ? ['--help'] : words, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    if (wasInterrupted()) return 130
    complain(wordsOf(error, words))
    return error instanceof CommanderError ? 2 : error instanceof UserError ? error.status : 1
  }
}

/** A user's mistake or a host's failure is said in its own words; anything else is a fault of overlab, with its trace. */
function wordsOf(error: unknown, [verb = '']: readonly string[]): string {
  if (error instanceof CommanderError) return usageError(error, Object.hasOwn(verbs, verb) ? `${verb} ` : '')
  if (error instanceof InventoryErrors) return `the inventory is wrong; nothing was done\n${error.message}`
  if (error instanceof UserError || error instanceof HostError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Commander's words in the form of our own: one line, and what to do. */
function usageError({ code, message }: CommanderError, verb: string): string {
  if (code === 'commander.unknownCommand') {
    const word = /'(.*?)'/.exec(message)?.[1] ?? ''
    const ours = insteadOf(word)
    if (ours !== undefined) return `unknown command '${word}'; did you mean ${ours}?`
  }
  const said = message.replace(/^error: /, '').replace(/\n\(Did (.*)\)$/, '; did $1')
  return said.endsWith('?')
    ? said
    : `${said.replace(/\.$/, '')}; ${overlabName()} ${verb}--help shows what there is`
}
