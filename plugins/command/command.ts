import { randomBytes } from 'node:crypto'
import { containsSecret, diffValues, plain, secret, unknown } from '../server/index.ts'
import type { Context, DiffResult, ResourceHandlers, Values } from '../server/index.ts'
import { checkProperties } from './check.ts'
import type { Properties } from './check.ts'
import { quote } from './quote.ts'

/** What local and remote commands differ in. */
export interface CommandKind {
  readonly properties: Properties
  /** Names of what a run with these inputs gives, besides the inputs themselves. */
  outputs(inputs: Values): readonly string[]
  /** Runs one command; `previous` are the outputs of the run before. Secrets are unwrapped. */
  run(command: string, inputs: Values, previous: Values, context: Context): Promise<Values>
}

/** The life of a command: `create` once, `update` (else `create` again) on a change, `delete` at the end. */
export function commandResource(kind: CommandKind): ResourceHandlers {
  const run = async (command: string | undefined, news: Values, previous: Values, context: Context) => {
    const inputs = plain(news) as Values
    const kept = pick(previous, kind.outputs(inputs))
    if (context.preview)
      return { ...news, ...Object.fromEntries(kind.outputs(inputs).map((name) => [name, unknown])) }
    if (command === undefined) return { ...news, stdout: '', stderr: '', ...kept }
    return { ...news, ...mark(news, await kind.run(command, inputs, plain(previous) as Values, context)) }
  }
  return {
    check: (_olds, news) => checkProperties(kind.properties, news),
    diff: (_id, _olds, news, { oldInputs }) => triggeredDiff(oldInputs, news),
    create: async (news, context) => ({
      id: `${context.name}${randomBytes(4).toString('hex')}`,
      outputs: await run(commandOf(news, 'create'), news, {}, context),
    }),
    update: (_id, olds, news, context) =>
      run(commandOf(news, 'update') ?? commandOf(news, 'create'), news, olds, context),
    async delete(_id, olds, context) {
      const command = commandOf(olds, 'delete')
      if (command !== undefined) await run(command, olds, olds, context)
    },
  }
}

/** Every changed input is an update; a changed trigger replaces. */
export function triggeredDiff(oldInputs: Values, news: Values, replaces = ['triggers']): DiffResult {
  return {
    changes: diffValues(oldInputs, news).map((change) => {
      const root = change.path.split(/[.[]/)[0] ?? ''
      return replaces.includes(root) ? { ...change, replace: true } : change
    }),
  }
}

/** The variables that tell a command what the one before it printed. */
export function previousOutput(inputs: Values, previous: Values): Record<string, string> {
  const variables: Record<string, string> = {}
  if (inputs.addPreviousOutputInEnv === false) return variables
  if (typeof previous.stdout === 'string' && previous.stdout)
    variables.PULUMI_COMMAND_STDOUT = previous.stdout
  if (typeof previous.stderr === 'string' && previous.stderr)
    variables.PULUMI_COMMAND_STDERR = previous.stderr
  return variables
}

export function commandError(exit: string, command: string, output: string): Error {
  return new Error(`${exit}: running ${quote(command)}:\n${output}`)
}

function commandOf(values: Values, name: 'create' | 'update' | 'delete'): string | undefined {
  const command = values[name] === undefined ? undefined : plain(values[name])
  return typeof command === 'string' ? command : undefined
}

/** A command that is told a secret may print it; that the connection is one says nothing about the output. */
function mark(news: Values, outputs: Values): Values {
  const told = Object.entries(news).some(([name, value]) => name !== 'connection' && containsSecret(value))
  if (!told) return outputs
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, secret(value)]))
}

function pick(values: Values, names: readonly string[]): Values {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)))
}
