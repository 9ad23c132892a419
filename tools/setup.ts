/**
 * Sets up whatever is missing, and says nothing where nothing is. `first.mjs` starts it; it can be run by itself
 * (`node tools/setup.ts`). `--plan` prints what it would do and changes nothing.
 */
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { quote } from '../remote/quote.ts'
import { findCommand } from './commands.ts'
import { commandPluginPart } from './command-plugin.ts'
import { flanneldPart } from './flanneld.ts'
import { kernelPart } from './kernel-part.ts'
import { withLock } from './lock.ts'
import { packagesPart } from './packages.ts'
import { passphrasePart } from './passphrase.ts'
import { cacheFolder, fromRepository } from './paths.ts'
import { show } from './progress.ts'
import { pulumiPart } from './pulumi-cli.ts'
import { qemuPart } from './qemu.ts'
import { rightsPart } from './rights.ts'
import { stacksPart } from './stacks.ts'
import { testToolsPart } from './test-tools.ts'
import { SetupError, type Part, type Work } from './work.ts'

/** In the order in which they build on each other. */
const parts: readonly Part[] = [
  rightsPart(),
  packagesPart,
  testToolsPart,
  kernelPart,
  pulumiPart,
  commandPluginPart,
  flanneldPart,
  qemuPart,
  passphrasePart,
  stacksPart,
]

interface Planned {
  readonly part: Part
  readonly work: Work
}

export async function planAll(all: readonly Part[]): Promise<Planned[]> {
  const planned = await Promise.all(all.map(async (part) => ({ part, work: await part.plan() })))
  return planned.filter((entry): entry is Planned => entry.work !== undefined)
}

/**
 * Runs a plan: every problem first, then what will change outside the repository, then the work.
 * @throws SetupError with one line for each problem; nothing has been changed then
 */
export async function carryOut(
  planned: readonly Planned[],
  print: (line: string) => void,
  only?: 'plan',
): Promise<void> {
  const problems = planned.flatMap(({ work }) => work.problems)
  if (problems.length > 0) throw new SetupError(problems.join('\n'))
  const outside = planned.flatMap(({ work }) => work.outside)
  if (outside.length > 0) {
    print('set-up will change this outside the repository:')
    outside.forEach((line) => print(`  - ${line}`))
  }
  if (only === 'plan') {
    planned.flatMap(({ work }) => work.tasks).forEach((task) => print(`set-up: ${task.title}`))
    return
  }
  for (const { work } of planned) for (const task of work.tasks) await show(task)
}

export async function setUp(only?: 'plan'): Promise<void> {
  const print = (line: string) => console.log(line)
  const first = await planAll(parts)
  if (first.length === 0 || only) return carryOut(first, print, only)
  // A problem is told at once; nobody waits for another set-up to hear of it.
  if (first.some(({ work }) => work.problems.length > 0)) return carryOut(first, print)
  await withLock(
    join(cacheFolder(), 'setup.lock'),
    (pid) => print(`set-up: another one runs (process ${pid}); waiting for it`),
    async () => {
      await carryOut(await planAll(parts), print)
      // What one part brings, another may have waited for (a stack needs the CLI).
      await carryOut(await planAll(parts), print)
    },
  )
  linkHint().forEach(print)
}

/** How to call overlab from any folder; nothing where its name on PATH leads here already. */
export function linkHint(env: NodeJS.ProcessEnv = process.env): string[] {
  const launcher = fromRepository('overlab')
  const found = findCommand('overlab', env)
  if (found !== undefined && realpathSync(found) === launcher) return []
  const folder = process.getuid?.() === 0 ? '/usr/local/bin' : '~/.local/bin'
  return [
    'set-up: done; ./overlab is the command. To call it as overlab from any folder:',
    `  mkdir -p ${folder} && ln -s ${quote(launcher)} ${folder}/overlab`,
  ]
}

if (import.meta.main) {
  try {
    await setUp(process.argv.includes('--plan') ? 'plan' : undefined)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    error.message
      .split('\n')
      .forEach((line) => console.error(line.startsWith(' ') ? line : `set-up: ${line}`))
    process.exitCode = 1
  }
}
