import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import type { Context, FunctionHandler, Value, Values } from '../server/index.ts'
import { isObject, plain } from '../server/index.ts'
import { archiveOf, findAssets } from './assets.ts'
import { checkProperties } from './check.ts'
import type { Properties } from './check.ts'
import { commandError, previousOutput } from './command.ts'
import type { CommandKind } from './command.ts'
import { collect } from './output.ts'
import type { Logging } from './output.ts'

const common: Properties = {
  stdin: { type: 'string' },
  environment: { type: 'strings by name' },
  dir: { type: 'string' },
  interpreter: { type: 'strings' },
  assetPaths: { type: 'strings' },
  archivePaths: { type: 'strings' },
  logging: { type: 'logging' },
  addPreviousOutputInEnv: { type: 'boolean', default: true },
}

/** `command:local:Command`: a command on the machine that Pulumi runs on. */
export const localCommand: CommandKind = {
  properties: {
    ...common,
    create: { type: 'string' },
    update: { type: 'string' },
    delete: { type: 'string' },
    triggers: { type: 'list' },
  },
  outputs: (inputs) => [
    'stdout',
    'stderr',
    ...(inputs.assetPaths === undefined ? [] : ['assets']),
    ...(inputs.archivePaths === undefined ? [] : ['archive']),
  ],
  run,
}

/** `command:local:run`: a command that runs each time the program does. */
export const localRun: FunctionHandler = async (args, context) => {
  const { inputs, failures } = checkProperties(
    { ...common, command: { type: 'string', required: true } },
    args,
  )
  const [failure] = failures
  if (failure !== undefined) throw new Error(`${context.type}: ${failure.property}: ${failure.reason}`)
  const values = plain(inputs) as Values
  return { ...values, ...(await run(values.command as string, values, {}, context)) }
}

async function run(command: string, inputs: Values, previous: Values, context: Context): Promise<Values> {
  context.signal.throwIfAborted()
  const interpreter = (inputs.interpreter as readonly string[] | undefined) ?? []
  const [program = '/bin/sh', ...args] = interpreter.length > 0 ? interpreter : ['/bin/sh', '-c']
  const dir = (inputs.dir as string | undefined) ?? process.cwd()
  const collector = collect(context.log, inputs.logging as Logging | undefined)
  const child = spawn(program, [...args, command], {
    cwd: dir,
    env: {
      ...process.env,
      ...(isObject(inputs.environment) ? (inputs.environment as Record<string, string>) : {}),
      ...previousOutput(inputs, previous),
    },
    // A process group of its own, so that a cancelled command takes its children with it.
    detached: true,
  })
  child.stdout.on('data', (chunk: Buffer) => collector.stdout(chunk))
  child.stderr.on('data', (chunk: Buffer) => collector.stderr(chunk))
  // A command need not read its input.
  child.stdin.on('error', () => {})
  child.stdin.end((inputs.stdin as string | undefined) ?? '')
  const exit = await ending(child, program, dir, context.signal)
  const { stdout, stderr, both } = collector.end()
  if (exit !== undefined) throw commandError(exit, command, both)
  const outputs: Record<string, Value> = { stdout, stderr }
  if (inputs.assetPaths) outputs.assets = await findAssets(dir, inputs.assetPaths as readonly string[])
  if (inputs.archivePaths) {
    outputs.archive = archiveOf(await findAssets(dir, inputs.archivePaths as readonly string[]))
  }
  return outputs
}

const graceMilliseconds = 2000

// Go's names of the signals that end a process.
const signalNames: Readonly<Record<string, string>> = {
  SIGABRT: 'aborted',
  SIGALRM: 'alarm clock',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGHUP: 'hangup',
  SIGILL: 'illegal instruction',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGPIPE: 'broken pipe',
  SIGQUIT: 'quit',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
}

/** Resolves when the process and all that holds its outputs is over: undefined for success, else Go's text. */
function ending(
  child: ChildProcess,
  program: string,
  dir: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const kill = (name: 'SIGTERM' | 'SIGKILL') => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name)
    } catch {
      // It has ended by itself.
    }
  }
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    const abort = () => {
      kill('SIGTERM')
      timer = setTimeout(() => kill('SIGKILL'), graceMilliseconds)
    }
    const end = (exit: string | undefined) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      resolve(exit)
    }
    signal.addEventListener('abort', abort)
    child.once('error', (error: NodeJS.ErrnoException) => end(startError(error, program, dir)))
    child.once('close', (code, signalName) => {
      if (signalName) end(`signal: ${signalNames[signalName] ?? `signal ${constants.signals[signalName]}`}`)
      else end(code === 0 ? undefined : `exit status ${code}`)
    })
  })
}

function startError(error: NodeJS.ErrnoException, program: string, dir: string): string {
  if (error.code === 'E2BIG') return `fork/exec ${program}: argument list too long`
  if (error.code === 'EACCES') return `fork/exec ${program}: permission denied`
  if (error.code !== 'ENOENT') return error.message
  if (!existsSync(dir)) return `chdir ${dir}: no such file or directory`
  if (program.includes('/')) return `fork/exec ${program}: no such file or directory`
  return `exec: ${JSON.stringify(program)}: executable file not found in $PATH`
}
