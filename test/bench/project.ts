/**
 * A project of the benchmark's own in a temporary folder: the repository's program and plugin by links, so that
 * Node's compile cache is as warm as a user's, with a state, a stack and an inventory of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadInventory } from '../../inventory/load.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { name as nameSchema, type Name } from '../../inventory/values.ts'
import { namespaceDriver } from '../../machines/namespace.ts'
import type { TraceLine } from '../../plugins/overlab/trace.ts'
import { pulumiBinary, pulumiEnvironment } from '../../tools/environment.ts'
import { repository } from '../../tools/paths.ts'

export type Backend = 'vxlan' | 'host-gw' | 'udp'

export interface Form {
  readonly hosts: number
  readonly backend: Backend
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
  describe(form: Form): void
  inventory(): Inventory
  /** Runs Pulumi's own CLI; a failure is an error with what it printed. */
  pulumi(...words: string[]): Promise<Run>
  /** The same program against a plugin that does nothing: what the engine alone takes. */
  engine(...words: string[]): Promise<Run>
  /** Takes everything away, however little of it is there. */
  remove(): Promise<void>
}

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

export async function makeLab(name: string, underlay: string): Promise<Lab> {
  const lab = nameSchema.parse(name)
  const folder = mkdtempSync(join(tmpdir(), 'overlab-bench-'))
  const running = new Set<ChildProcess>()
  const inventoryFile = join(folder, 'lab.yaml')
  const projects = { real: 'overlab', engine: 'nothing' } as const
  let isRemoved = false

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
    if (isRemoved) throw new Error('the benchmark was interrupted')
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
    running.add(child)
    let [output, times] = ['', '']
    child.stdio[3]!.on('data', (chunk) => (times += String(chunk)))
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => (output += String(chunk)))
    const timer = setTimeout(() => end(child), patience)
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => {
        clearTimeout(timer)
        running.delete(child)
        const ms = performance.now() - from
        if (code !== 0) return reject(new Error(`pulumi ${words.join(' ')}: exit ${code}\n${output}`))
        const lines = existsSync(trace) ? readFileSync(trace, 'utf8').trim().split('\n') : []
        resolve({ ms, at, cpu: cpuOf(times), trace: lines.map((line) => JSON.parse(line) as TraceLine) })
      })
    })
  }

  for (const project of Object.keys(projects) as (keyof typeof projects)[]) {
    await run(project, ['stack', 'init', lab, '--no-select'])
    await run(project, ['config', 'set', 'inventory', inventoryFile])
  }
  return {
    name: lab,
    folder,
    describe({ hosts, backend }) {
      writeFileSync(
        inventoryFile,
        `lab: { name: ${lab}, underlay: ${underlay}, overlay: { Network: 10.98.0.0/16, Backend: { Type: ${backend} } } }
all: { hosts: { 'node[1:${hosts}]': }, vars: { pods: 2 } }
`,
      )
    },
    inventory: () => loadInventory(inventoryFile),
    pulumi: (...words) => run('real', words),
    engine: (...words) => run('engine', words),
    async remove() {
      if (isRemoved) return
      isRemoved = true
      await Promise.all(
        [...running].map((child) => {
          end(child)
          return new Promise((resolve) => child.once('close', resolve))
        }),
      )
      await namespaceDriver.deleteUnderlay(lab)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
