/** `overlab up | preview | refresh | destroy`: Pulumi itself, with the environment that set-up made. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { defineCommand } from 'citty'
import { pulumiBinary, pulumiEnvironment } from '../tools/environment.ts'
import { fromRepository, repository } from '../tools/paths.ts'
import { currentStack } from '../tools/stacks.ts'
import { UserError } from './user-error.ts'

const verbs = {
  up: 'Builds the lab, or brings it to what the inventory says now',
  preview: 'Shows what up would do, object by object, and does nothing',
  refresh: "Reads what the hosts really hold into Pulumi's state, and shows what was changed by hand",
  destroy: 'Takes the lab away; nothing is left on this machine',
} as const

export const pulumiCommands = Object.fromEntries(
  Object.entries(verbs).map(([verb, description]) => [
    verb,
    defineCommand({
      meta: {
        name: verb,
        description: `${description}. Every option is Pulumi's: npx overlab ${verb} --yes --diff --stack udp`,
      },
      run: ({ rawArgs }) => runPulumi([verb, ...rawArgs]),
    }),
  ]),
)

async function runPulumi(args: readonly string[]): Promise<void> {
  const binary = pulumiBinary()
  if (!existsSync(binary)) throw new UserError('the Pulumi CLI is not installed', 'npm run lab installs it')
  await unlock(binary, stackOf(args))
  process.exitCode = await passOn(binary, args)
}

/** Runs it on the user's terminal, in the project's folder (the local state's URL is relative to it). */
function passOn(binary: string, args: readonly string[]): Promise<number> {
  const child = spawn(binary, args, { cwd: repository, env: pulumiEnvironment(), stdio: 'inherit' })
  // Ctrl-C reaches the child by the terminal; it ends in its own way, and this process after it.
  const wait = () => {}
  process.on('SIGINT', wait)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? (signal ? 130 : 1)))
  })
}

function stackOf(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => arg === '--stack' || arg === '-s')
  return args[at + 1 || args.length] ?? args.find((arg) => arg.startsWith('--stack='))?.slice(8) ?? currentStack()
}

/**
 * Pulumi's local state keeps the lock of a run that was killed. Where every lock is of a process of this machine
 * that is no more, it is taken away; any other lock is left for Pulumi to speak of.
 */
async function unlock(binary: string, stack: string | undefined): Promise<void> {
  if (!stack) return
  const folder = fromRepository('.overlab', 'state', '.pulumi', 'locks', 'organization', 'overlab', stack)
  if (!existsSync(folder)) return
  const owners = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as { pid: number; hostname: string })
  if (owners.length === 0 || owners.some((owner) => owner.hostname !== hostname() || isAlive(owner.pid))) return
  process.stderr.write(`overlab: unlocking ${stack}: the run that locked it (pid ${owners[0]!.pid}) was killed\n`)
  await passOn(binary, ['cancel', '--yes', '--stack', stack])
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
