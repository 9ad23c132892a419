/** Pulumi on a lab of a variant's own: this project's program and plugins, with a state and a stack in a folder of their own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostError } from '../../remote/errors.ts'
import { pulumiBinary, pulumiEnvironment } from '../../tools/environment.ts'
import { identity } from '../../tools/lock.ts'
import { localBackend } from '../../tools/passphrase.ts'
import { fromRepository } from '../../tools/paths.ts'

/** From SIGINT to SIGKILL, in ms: Pulumi lets the steps that run now come to their end. */
const patience = 20_000

const inventoryFile = 'lab.yaml'

/**
 * Makes the project in an empty folder: links to the program, so that what Node compiled of it is used again, and a
 * Pulumi.yaml that names the folder's own state. Nothing of it is in `stacks/` or in the user's state.
 */
export async function makeProject(folder: string, stack: string, signal?: AbortSignal): Promise<void> {
  for (const part of ['stacks', 'state']) mkdirSync(join(folder, part))
  for (const file of ['lab.ts', 'settings.ts'])
    symlinkSync(fromRepository('stacks', file), join(folder, 'stacks', file))
  for (const part of ['node_modules', 'package.json']) symlinkSync(fromRepository(part), join(folder, part))
  writeFileSync(
    join(folder, 'Pulumi.yaml'),
    readFileSync(fromRepository('Pulumi.yaml'), 'utf8')
      .replace(localBackend, `file://${join(folder, 'state')}`)
      .replace('./plugins/overlab', fromRepository('plugins', 'overlab')),
  )
  await run(folder, stack, ['stack', 'init', stack, '--no-select'], signal)
  await run(folder, stack, ['config', 'set', 'inventory', join(folder, inventoryFile)], signal)
}

/** `pulumi up` of an inventory; how long it took, in ms. @throws HostError with Pulumi's diagnostics */
export async function up(
  folder: string,
  stack: string,
  inventory: string,
  signal?: AbortSignal,
): Promise<number> {
  writeFileSync(join(folder, inventoryFile), inventory)
  return run(folder, stack, ['up', '--yes', '--skip-preview', '--suppress-outputs'], signal)
}

async function run(
  folder: string,
  stack: string,
  words: readonly string[],
  signal?: AbortSignal,
): Promise<number> {
  const host = `lab ${stack}`
  const step = `pulumi ${words[0]}`
  if (signal?.aborted) throw new HostError({ host, step, why: 'was interrupted' })
  const start = performance.now()
  const child = spawn(pulumiBinary(), ['--non-interactive', '--color', 'never', ...words], {
    cwd: folder,
    // What the user set for the own state and stack is not for this one.
    env: pulumiEnvironment({
      ...process.env,
      PULUMI_BACKEND_URL: undefined,
      PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
      PULUMI_CONFIG_PASSPHRASE: '',
      PULUMI_STACK: stack,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C is this process's: it tells Pulumi once, and waits.
    detached: true,
  })
  note(folder, child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  let last: NodeJS.Timeout | undefined
  const stop = () => {
    child.kill('SIGINT')
    last = setTimeout(() => child.kill('SIGKILL'), patience)
  }
  signal?.addEventListener('abort', stop)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  }).finally(() => {
    signal?.removeEventListener('abort', stop)
    clearTimeout(last)
    rmSync(pidFile(folder), { force: true })
  })
  if (signal?.aborted) throw new HostError({ host, step, why: 'was interrupted' })
  if (code !== 0) throw new HostError({ host, step, why: whyOf(output), stderr: diagnosticsOf(output) })
  return performance.now() - start
}

/** What Pulumi has to say, without its list of resources. */
export function diagnosticsOf(output: string): string {
  const diagnostics = /^Diagnostics:\n([^]*?)(?=^Resources:|(?![^]))/m.exec(output)?.[1]
  return (diagnostics ?? output)
    .split('\n')
    .filter((line) => line.trim() && !/^\s*error: update failed$/.test(line))
    .join('\n')
}

/** The first error that says more than that there was one. */
export function whyOf(output: string): string {
  const error = /^\s*(?:\S+: )?error: (.+)$/m.exec(diagnosticsOf(output))?.[1]
  return error === undefined ? 'failed' : `failed: ${error.slice(0, 300)}`
}

function pidFile(folder: string): string {
  return join(folder, 'pulumi.pid')
}

/** What a killed run leaves running must be found. */
function note(folder: string, { pid }: ChildProcess): void {
  const found = pid === undefined ? undefined : identity(pid)
  if (found !== undefined) writeFileSync(pidFile(folder), found)
}

/** Ends the Pulumi that a killed run left running in a folder, if it still does. */
export async function endRun(folder: string): Promise<void> {
  if (!existsSync(pidFile(folder))) return
  const noted = readFileSync(pidFile(folder), 'utf8')
  const pid = Number.parseInt(noted, 10)
  const from = performance.now()
  for (let signal: NodeJS.Signals | 0 = 'SIGINT'; identity(pid) === noted; signal = 0) {
    try {
      process.kill(pid, performance.now() - from > patience ? 'SIGKILL' : signal)
    } catch {
      // It ended meanwhile.
      return
    }
    await sleep(100)
  }
}
