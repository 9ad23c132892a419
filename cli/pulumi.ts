/** `overlab up | preview | refresh | destroy`: Pulumi itself, with the environment that set-up made. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { InventoryErrors } from '../inventory/mistakes.ts'
import { pulumiBinary, pulumiEnvironment } from '../tools/environment.ts'
import { repository } from '../tools/paths.ts'
import { printCommandsFor } from '../tools/command-line.ts'
import { currentStack, selectedStack } from '../tools/stacks.ts'
import { contextOf } from './context.ts'
import { sayLab } from './first-line.ts'
import { callerFrom } from './project.ts'
import { addExamples, addList } from './help.ts'
import { complain } from './output.ts'
import { freeStack, holderOf } from './stack-lock.ts'
import { UserError } from './user-error.ts'

const examples = {
  up: [
    ['./overlab up', 'shows what will be done, and asks'],
    ['./overlab up --yes', 'does not ask'],
    ['./overlab up --yes --stack udp', 'the lab of another stack'],
  ],
  preview: [
    ['./overlab preview --diff', 'every row that would change'],
    ['./overlab preview --json', 'for programs'],
  ],
  refresh: [
    ['./overlab refresh --preview-only --diff', 'what was changed by hand'],
    ['./overlab refresh --yes', "takes it over into Pulumi's state; the next up restores it"],
  ],
  destroy: [
    ['./overlab destroy', 'shows what goes, and asks'],
    ['./overlab destroy --yes --stack udp', 'the lab of another stack, without asking'],
  ],
} as const

export const pulumiVerbs = {
  up: pulumiVerb('up'),
  preview: pulumiVerb('preview'),
  refresh: pulumiVerb('refresh'),
  destroy: pulumiVerb('destroy'),
}

function pulumiVerb(verb: keyof typeof examples) {
  return (command: Command) => {
    command
      .description(
        `This is \`pulumi ${verb}\` in the project's folder, with the passphrase of the local state and the project's own tools. The lock of a run that was killed is taken away first.`,
      )
      .usage("[Pulumi's own options]")
      // Only Pulumi can check them.
      .allowUnknownOption()
      .allowExcessArguments()
      .passThroughOptions()
      .action(async () => {
        process.exitCode = await runPulumi([verb, ...command.args])
      })
    addList(command, "Pulumi's options", [
      ['-s, --stack <NAME>', 'The stack to work on; else the selected one'],
      ['-y, --yes', 'Do not ask'],
      ['-q, --quiet', "No line that names lab and stack; overlab's own option"],
      ['--diff', 'Show every property that changes'],
      ['...', `npx pulumi ${verb} --help has them all`],
    ])
    addExamples(
      command,
      examples[verb],
      "0 done; 255 not done (Pulumi's own); 1 nothing was begun, and the message says why.",
    )
  }
}

async function runPulumi(args: readonly string[]): Promise<number> {
  callerFrom()
  const binary = pulumiBinary()
  if (!existsSync(binary))
    throw new UserError('the Pulumi CLI is not installed', 'npm run lab installs it', 1)
  const quiet = args.some((word) => word === '-q' || word === '--quiet')
  const words = args.filter((word) => word !== '-q' && word !== '--quiet')
  const stack = stackOf(words) ?? currentStack()
  if (stack === undefined) return passOn(binary, words)
  printCommandsFor(stack, selectedStack())
  const forPrograms = ['-j', '--json', '-h', '--help']
  if (!quiet && !words.some((word) => forPrograms.includes(word))) sayLab(labOf(stack), stack, {})
  if (!locks(words)) return passOn(binary, words)
  await freeStack(stack, complain)
  const status = await passOn(binary, words)
  // Somebody else was quicker: Pulumi does not say who.
  const holder = status === 0 ? undefined : holderOf(stack)
  if (holder) complain(holder.message)
  return status
}

/** A preview locks nothing, and neither does help. */
function locks([verb, ...options]: readonly string[]): boolean {
  const harmless = ['--preview-only', '--help', '-h']
  return verb !== 'preview' && !options.some((option) => harmless.includes(option))
}

/** Undefined where stack or inventory are wrong: of that Pulumi, and the program that it runs, speak. */
function labOf(stack: string): string | undefined {
  try {
    return contextOf(stack.split('/').at(-1)!, true).inventory.lab.name
  } catch (error) {
    if (error instanceof UserError || error instanceof InventoryErrors) return undefined
    throw error
  }
}

/** Runs it on the user's terminal, in the project's folder (the local state's URL is relative to it). */
function passOn(binary: string, args: readonly string[]): Promise<number> {
  const child = spawn(binary, args, { cwd: repository, env: pulumiEnvironment(), stdio: 'inherit' })
  // Ctrl-C reaches the child by the terminal; it ends in its own way, and this process after it.
  const wait = () => {}
  const end = () => void child.kill('SIGTERM')
  process.on('SIGINT', wait)
  process.on('SIGTERM', end)
  return new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? (signal ? 130 : 1)))
  }).finally(() => {
    process.off('SIGINT', wait)
    process.off('SIGTERM', end)
  })
}

/** The stack that the options name, in Pulumi's forms: `--stack NAME`, `--stack=NAME`, `-s NAME`, `-sNAME`. */
export function stackOf(args: readonly string[]): string | undefined {
  for (const [index, arg] of args.entries()) {
    if (arg === '--stack' || arg === '-s') return args[index + 1]
    const joined = /^(?:--stack=|-s=?)(.+)$/.exec(arg)
    if (joined) return joined[1]
  }
  return undefined
}
