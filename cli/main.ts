/** From words to a verb, and from what it throws to one clear line. */
import { readFileSync } from 'node:fs'
import { InventoryErrors } from '../inventory/mistakes.ts'
import { suggestion } from '../inventory/suggest.ts'
import { HostError } from '../remote/errors.ts'
import { fromRepository } from '../tools/paths.ts'
import { overallHelp, verbHelp } from './help.ts'
import { wasInterrupted } from './interrupt.ts'
import { print } from './output.ts'
import { UserError } from './user-error.ts'
import { verbs } from './verbs.ts'
import { asksForHelp, readWords } from './words.ts'

/** Runs `overlab WORDS`; the exit status. Never throws. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    return await dispatch(words)
  } catch (error) {
    if (wasInterrupted()) return 130
    process.stderr.write(`overlab: ${wordsOf(error)}\n`)
    return error instanceof UserError ? error.status : 1
  }
}

async function dispatch([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') return say(overallHelp(verbs))
  if (name === '--version' || name === '-v') return say(version())
  if (name === 'help') return rest[0] === undefined ? say(overallHelp(verbs)) : dispatch([rest[0], '--help'])
  const entry = Object.hasOwn(verbs, name) ? verbs[name] : undefined
  if (!entry) {
    const kind = name.startsWith('-') ? 'option' : 'verb'
    throw new UserError(
      `there is no ${kind} ${name}`,
      `${suggestion(name, Object.keys(verbs))} (overlab --help)`,
    )
  }
  const verb = await entry.load()
  if (asksForHelp(rest)) return say(verbHelp(entry.summary, verb))
  return (await verb.run(readWords(name, verb, rest))) ?? 0
}

function say(text: string): number {
  print(text)
  return 0
}

function version(): string {
  return (JSON.parse(readFileSync(fromRepository('package.json'), 'utf8')) as { version: string }).version
}

/** A user's mistake or a host's failure is said in its own words; anything else is a fault of overlab, with its trace. */
function wordsOf(error: unknown): string {
  if (error instanceof InventoryErrors) return `the inventory is wrong; nothing was done\n${error.message}`
  if (error instanceof UserError || error instanceof HostError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
