/**
 * A copy of the project in a temporary folder, as a clone would be: its own state, passphrase, stacks and
 * inventories. What a test does there is what a user does, and no lab or stack of the developer's is touched.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makePassphrase } from '../../../tools/passphrase.ts'
import { pulumiBinary } from '../../../tools/environment.ts'
import { repository } from '../../../tools/paths.ts'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  /** Both streams. */
  readonly output: string
}

export interface Project {
  readonly folder: string
  /** `overlab WORDS` with the stack as the selected one; any exit code is a value. */
  overlab(stack: string, ...words: string[]): Promise<Outcome>
  /** The same, running; a process group of its own. */
  start(stack: string, ...words: string[]): ChildProcess
  /** Pulumi's own CLI. */
  pulumi(stack: string, ...words: string[]): Promise<Outcome>
  remove(): void
}

const parts = [
  'cli',
  'experiments',
  'inventory',
  'machines',
  'modules',
  'overlay',
  'plugins',
  'remote',
  'resources',
]

export function makeProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'overlab-e2e-'))
  for (const part of [...parts, 'stacks', 'tools', 'Pulumi.yaml', 'package.json'])
    cpSync(join(repository, part), join(folder, part), { recursive: true })
  for (const file of readdirSync(join(folder, 'stacks')))
    if (file.startsWith('Pulumi.')) rmSync(join(folder, 'stacks', file))
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  mkdirSync(join(folder, '.overlab', 'state'), { recursive: true })
  makePassphrase(join(folder, '.overlab', 'passphrase'))

  const options = (stack: string) => ({ cwd: folder, env: environment(folder, stack) })
  const run = (stack: string, file: string, words: readonly string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      let output = ''
      const child = execFile(file, words, { ...options(stack), maxBuffer: 1e9 }, (error, stdout) =>
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, output }),
      )
      for (const stream of [child.stdout!, child.stderr!])
        stream.on('data', (chunk) => (output += String(chunk)))
      child.stdin!.end()
    })
  return {
    folder,
    overlab: (stack, ...words) => run(stack, process.execPath, [join(folder, 'cli/overlab.ts'), ...words]),
    start: (stack, ...words) =>
      spawn(process.execPath, [join(folder, 'cli/overlab.ts'), ...words], {
        ...options(stack),
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    pulumi: (stack, ...words) => run(stack, pulumiBinary(), ['--non-interactive', ...words]),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Without the caller's own Pulumi settings, which would lead out of the project. */
function environment(folder: string, stack: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([key]) => !/^(PULUMI_|VITEST|NODE_OPTIONS|FORCE_COLOR)/.test(key) || key === 'PULUMI_HOME',
  )
  return {
    ...Object.fromEntries(kept),
    PATH: `${join(repository, 'node_modules', '.bin')}:${process.env['PATH']}`,
    NO_COLOR: '1',
    PULUMI_STACK: stack,
    PULUMI_SKIP_UPDATE_CHECK: '1',
    PULUMI_CONFIG_PASSPHRASE_FILE: join(folder, '.overlab', 'passphrase'),
  }
}

/** Writes a file of the project; returns its path. */
export function writeInto(project: Project, path: string, text: string): string {
  const file = join(project.folder, path)
  writeFileSync(file, text)
  return file
}
