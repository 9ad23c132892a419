import type { Context, Values } from '../server/index.ts'
import { commandError, previousOutput } from './command.ts'
import type { CommandKind } from './command.ts'
import { parseConnection } from './connection.ts'
import { dial } from './dial.ts'
import { collect } from './output.ts'
import type { Collector, Logging } from './output.ts'
import { openSession } from './session.ts'
import type { Session } from './session.ts'

/** `command:remote:Command`: one command, over one SSH connection of its own. */
export const remoteCommand: CommandKind = {
  properties: {
    connection: { type: 'connection', required: true },
    create: { type: 'string' },
    update: { type: 'string' },
    delete: { type: 'string' },
    triggers: { type: 'list' },
    stdin: { type: 'string' },
    environment: { type: 'strings by name' },
    logging: { type: 'logging' },
    addPreviousOutputInEnv: { type: 'boolean', default: true },
  },
  outputs: () => ['stdout', 'stderr'],
  run,
}

/** How long a cancelled command may take to end. */
const graceMilliseconds = 1000

async function run(command: string, inputs: Values, previous: Values, context: Context): Promise<Values> {
  const { client, close } = await dial(parseConnection(inputs.connection), context)
  let session: Session | undefined
  const abort = () => {
    // Without a terminal a command outlives its connection until it next writes, so it is told first; sshd
    // passes that on for every user but root.
    session?.channel.signal('TERM')
    setTimeout(() => client.destroy(), session ? graceMilliseconds : 0)
  }
  context.signal.addEventListener('abort', abort)
  try {
    session = await openSession(client)
    const { channel } = session
    await sendEnvironment(session, inputs, previous, context)
    const collector = collect(context.log, inputs.logging as Logging | undefined)
    const ending = finish(channel, client, collector)
    await session.exec(command)
    channel.end((inputs.stdin as string | undefined) ?? '')
    const exit = await ending
    const { stdout, stderr, both } = collector.end()
    context.signal.throwIfAborted()
    if (exit !== undefined) throw commandError(exit, command, both)
    return { stdout, stderr }
  } catch (error) {
    context.signal.throwIfAborted()
    throw error
  } finally {
    context.signal.removeEventListener('abort', abort)
    close()
  }
}

async function sendEnvironment(
  session: Session,
  inputs: Values,
  previous: Values,
  { log }: Context,
): Promise<void> {
  const environment = (inputs.environment ?? {}) as Readonly<Record<string, string>>
  for (const name of Object.keys(environment).sort()) {
    if (await session.setenv(name, environment[name] ?? '')) continue
    log.error(refused(name))
    throw new Error(`could not set environment variable ${JSON.stringify(name)}: ssh: setenv failed`)
  }
  for (const [name, value] of Object.entries(previousOutput(inputs, previous))) {
    // Nice to have for the command, so a server that does not take it is only worth a warning.
    if (!(await session.setenv(name, value))) log.warning(refused(name))
  }
}

function refused(name: string): string {
  return (
    `Unable to set '${name}'. This only works if your SSH server is configured to accept these variables via ` +
    `AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could prefix the ` +
    `command itself with the variables in the form 'VAR=value command'`
  )
}

type Channel = Session['channel']
type Client = Awaited<ReturnType<typeof dial>>['client']

// Go's numbers of signals, which a status is made of when the server gives none.
const signals: Readonly<Record<string, number>> = {
  ABRT: 6,
  ALRM: 14,
  FPE: 8,
  HUP: 1,
  ILL: 4,
  INT: 2,
  KILL: 9,
  PIPE: 13,
  QUIT: 3,
  SEGV: 11,
  TERM: 15,
}

/** Resolves when the command and its connection's part are over: undefined for success, else what went wrong. */
function finish(channel: Channel, client: Client, collector: Collector): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Silence is a failure: a connection that ends in the middle gives neither a status nor a signal.
    let outcome: string | undefined = 'wait: remote command exited without exit status or exit signal'
    channel.on('exit', (code: number | null, signal?: string, _dumped?: boolean, description?: string) => {
      const name = signal?.replace(/^SIG/, '')
      const status = code ?? 128 + (signals[name ?? ''] ?? 0)
      outcome =
        code === 0
          ? undefined
          : `Process exited with status ${status}` +
            (name ? ` from signal ${name}` : '') +
            (description ? `. Reason was: ${description}` : '')
    })
    channel.on('data', (chunk: Buffer) => collector.stdout(chunk))
    channel.stderr.on('data', (chunk: Buffer) => collector.stderr(chunk))
    channel.on('error', () => {})
    channel.stderr.on('error', () => {})
    channel.once('close', () => resolve(outcome))
    client.once('close', () => setImmediate(() => resolve(outcome)))
  })
}
