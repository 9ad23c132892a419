/** `overlab up | preview | refresh | destroy`: Pulumi itself, with the environment that set-up made. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { pulumiBinary, pulumiEnvironment } from '../tools/environment.ts'
import { repository } from '../tools/paths.ts'
import { currentStack } from '../tools/stacks.ts'
import { staleLock } from './stale-lock.ts'
import { UserError } from './user-error.ts'
import { defineVerb, type Example, type Verb } from './verb.ts'

const examples = {
  up: [
    { line: 'npx overlab up', what: 'shows what will be done, and asks' },
    { line: 'npx overlab up --yes', what: 'does not ask' },
    { line: 'npx overlab up --yes --stack udp', what: 'the lab of another stack' },
  ],
  preview: [
    { line: 'npx overlab preview --diff', what: 'every row that would change' },
    { line: 'npx overlab preview --json', what: 'for programs' },
  ],
  refresh: [
    { line: 'npx overlab refresh --preview-only --diff', what: 'what was changed by hand' },
    { line: 'npx overlab refresh --yes', what: "takes it over into Pulumi's state; the next up restores it" },
  ],
  destroy: [
    { line: 'npx overlab destroy', what: 'shows what goes, and asks' },
    { line: 'npx overlab destroy --yes --stack udp', what: 'the lab of another stack, without asking' },
  ],
} as const satisfies Record<string, readonly Example[]>

export const pulumiVerbs = {
  up: pulumiVerb('up'),
  preview: pulumiVerb('preview'),
  refresh: pulumiVerb('refresh'),
  destroy: pulumiVerb('destroy'),
}

function pulumiVerb(verb: keyof typeof examples): Verb {
  return defineVerb({
    usage: [`${verb} [Pulumi's own options]`],
    about: [
      `This is \`pulumi ${verb}\` in the project's folder, with the passphrase of the local state and the project's own tools. The lock of a run that was killed is taken away first.`,
      `The options below are the commonest; npx pulumi ${verb} --help has them all.`,
    ],
    options: {
      stack: { value: 'NAME', what: 'The stack to work on; else the selected one', short: 's' },
      yes: { value: true, what: 'Do not ask', short: 'y' },
      diff: { value: true, what: 'Show every property that changes' },
      '...': { value: true, what: `Every other option of Pulumi's: npx pulumi ${verb} --help` },
    },
    words: [0, Infinity],
    passesOn: true,
    statuses: "Pulumi's own: 0 done, 255 not done.",
    examples: examples[verb],
    run: ({ raw }) => runPulumi([verb, ...raw]),
  })
}

async function runPulumi(args: readonly string[]): Promise<number> {
  const binary = pulumiBinary()
  if (!existsSync(binary))
    throw new UserError('the Pulumi CLI is not installed', 'npm run lab installs it', 1)
  const stack = stackOf(args) ?? currentStack()
  const owner = stack === undefined ? undefined : staleLock(stack)
  if (stack !== undefined && owner !== undefined) {
    process.stderr.write(`overlab: unlocking ${stack}: the run that locked it (pid ${owner}) was killed\n`)
    await passOn(binary, ['cancel', '--yes', '--stack', stack])
  }
  return passOn(binary, args)
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
