/** Reads a command line as overlab does, without doing what it says. */
import { program } from '../../cli/program.ts'

/** What the verb's action would get. */
export interface Line {
  readonly words: readonly unknown[]
  readonly options: object
}

/** @throws CommanderError that says what is wrong with the line */
export async function readLine(line: readonly string[]): Promise<Line> {
  let read: Line | undefined
  const overlab = program().hook('preSubcommand', (_, verb) => {
    for (const one of verb.commands.length > 0 ? verb.commands : [verb])
      one.action(() => {
        read = { words: [...one.processedArgs], options: one.optsWithGlobals() }
      })
  })
  await overlab.parseAsync(line, { from: 'user' })
  if (!read) throw new Error(`nothing was read: ${line.join(' ')}`)
  return read
}
