/**
 * A project of the benchmark's own in a temporary folder: the repository's program and plugin by links, so that
 * Node's compile cache is as warm as a user's, with a state, a stack and an inventory of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { loadInventory } from '../../inventory/load.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { hashed } from '../../inventory/numbers.ts'
import type { Cidr, Name } from '../../inventory/values.ts'
import { forgetLab } from '../../machines/found.ts'
import { freeUnderlay } from '../../machines/lab/free.ts'
import { network } from '../../machines/network.ts'
import type { TraceLine } from '../../plugins/overlab/trace.ts'
import { pulumiBinary, pulumiEnvironment } from '../../tools/environment.ts'
import { repository } from '../../tools/paths.ts'
import { ownFolder, ownLab, removeFolder } from './leftovers.ts'

export interface Form {
  readonly backend: { readonly Type: string }
  /** Below `all:` of the inventory. */
  readonly all: object
  /** Of its `lab` block, what is not the bench's usual. */
  readonly lab?: object
}

export interface Run {
  /** From the start of the process to its end. */
  readonly ms: number
  /** Unix time of the start. */
  readonly at: number
  /** Of the engine, the program and the plugins, in ms; what runs on the machines is not theirs. */
  readonly cpu: number
  readonly trace: readonly TraceLine[]
}

export interface Lab {
  readonly name: Name
  readonly folder: string
  readonly underlay: Cidr
  /** Writes the inventory. */
  describe(form: Form): void
  inventory(): Inventory
  /** Runs Pulumi's own CLI; a failure is an error with what it printed. */
  pulumi(...words: string[]): Promise<Run>
  /** The same program against a plugin that does nothing: what the engine alone takes. */
  engine(...words: string[]): Promise<Run>
  /** Takes everything away, however little of it is there. */
  remove(): Promise<void>
}

/** The pods' network. */
const pods = '10.98.0.0/16'
/** No operation of the benchmark takes nearly so long. */
const patience = 180_000

/** The shell's word `times` tells the CPU time of what it ran, on its second line: `0m1.62s 0m0.31s`. */
const timing = '"$@" 3>&-; code=$?; times >&3; exit $code'

function cpuOf(times: string): number {
  const children = times.split('\n')[1] ?? ''
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  )
}

/** The whole group: the engine is the shell's child. */
function end(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** @param signal ends what runs, and refuses more; the lab is to be removed all the same */
export async function makeLab(word: string, signal: AbortSignal): Promise<Lab> {
  const lab = ownLab(word)
  const underlay = await freeUnderlay([pods], hashed(lab, 1e6))
  const folder = ownFolder(word)
  mkdirSync(folder, { mode: 0o700 })
  const inventoryFile = join(folder, 'lab.yaml')
  const projects = { real: 'overlab', engine: 'nothing' } as const
  for (const [project, plugin] of Object.entries(projects)) {
    const root = join(folder, project)
    mkdirSync(join(root, 'stacks'), { recursive: true })
    mkdirSync(join(root, 'state'))
    for (const file of ['lab.ts', 'settings.ts'])
      symlinkSync(join(repository, 'stacks', file), join(root, 'stacks', file))
    for (const part of ['node_modules', 'package.json']) symlinkSync(join(repository, part), join(root, part))
    const path = plugin === 'overlab' ? 'plugins/overlab' : 'test/bench/nothing'
    const text = readFileSync(join(repository, 'Pulumi.yaml'), 'utf8')
    writeFileSync(
      join(root, 'Pulumi.yaml'),
      text
        .replace('file://./.overlab/state', `file://${join(root, 'state')}`)
        .replace('./plugins/overlab', join(repository, path)),
    )
  }

  const run = (project: keyof typeof projects, words: readonly string[]): Promise<Run> => {
    signal.throwIfAborted()
    const trace = join(folder, 'trace')
    rmSync(trace, { force: true })
    const env = {
      ...pulumiEnvironment({
        ...process.env,
        PULUMI_BACKEND_URL: undefined,
        PULUMI_STACK: lab,
        PULUMI_CONFIG_PASSPHRASE: '',
      }),
      OVERLAB_TRACE: trace,
    }
    const [at, from] = [Date.now(), performance.now()]
    const child = spawn('sh', ['-c', timing, 'sh', pulumiBinary(), '--non-interactive', ...words], {
      cwd: join(folder, project),
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // Ctrl-C is this process's: it ends the engine and then takes the lab away.
      detached: true,
    })
    let [output, times] = ['', '']
    child.stdio[3]!.on('data', (chunk) => (times += String(chunk)))
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => (output += String(chunk)))
    const stop = () => end(child)
    const timer = setTimeout(stop, patience)
    signal.addEventListener('abort', stop)
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
        const ms = performance.now() - from
        if (signal.aborted) return reject(signal.reason as Error)
        if (code !== 0) return reject(new Error(`pulumi ${words.join(' ')}: exit ${code}\n${output}`))
        const lines = existsSync(trace) ? readFileSync(trace, 'utf8').trim().split('\n') : []
        resolve({ ms, at, cpu: cpuOf(times), trace: lines.map((line) => JSON.parse(line) as TraceLine) })
      })
    })
  }

  try {
    for (const project of Object.keys(projects) as (keyof typeof projects)[]) {
      await run(project, ['stack', 'init', lab, '--no-select'])
      await run(project, ['config', 'set', 'inventory', inventoryFile])
    }
  } catch (error) {
    removeFolder(folder)
    throw error
  }
  return {
    name: lab,
    folder,
    underlay,
    describe({ backend, all, lab: more }) {
      const overlay = { Network: pods, Backend: backend }
      writeFileSync(inventoryFile, stringify({ lab: { name: lab, underlay, overlay, ...more }, all }))
    },
    inventory: () => loadInventory(inventoryFile),
    pulumi: (...words) => run('real', words),
    engine: (...words) => run('engine', words),
    async remove() {
      await network.deleteUnderlay(lab)
      forgetLab(lab)
      removeFolder(folder)
    },
  }
}
