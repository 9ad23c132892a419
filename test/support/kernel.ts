/**
 * A network and mount namespace with a /run of its own, held by a sleeping process: like a machine, but without
 * sshd and file system. Pods, bpffs and iptables' lock stay in it, and all goes when the holder ends.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { phases, type Change, type Module, type Scope } from '../../modules/module.ts'
import type { Session } from '../../remote/session.ts'
import type { Table } from '../../modules/state.ts'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Kernel {
  readonly pid: number
  /** Runs a script; the exit code is the caller's affair. */
  run(script: string): Promise<Outcome>
  /** Runs a script that must succeed; returns its standard output. */
  sh(script: string): Promise<string>
  /** Starts a program that ends with the holder at the latest. */
  start(command: string, ...args: string[]): ChildProcess
  close(): Promise<void>
}

export async function kernel(): Promise<Kernel> {
  // The script holds the namespaces by reading from a pipe that ends with this process.
  const setup =
    'mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/netns && ip link set lo up && echo ready && exec cat'
  const holder = spawn('unshare', ['--mount', '--net', 'sh', '-c', setup], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const pid = holder.pid!
  const inside = ['--mount', '--net', '-t', String(pid)]
  const started: ChildProcess[] = []
  const run = (script: string): Promise<Outcome> =>
    new Promise((resolve) => {
      const child = execFile(
        'nsenter',
        [...inside, 'sh', '-s'],
        { maxBuffer: 2 ** 26, env: { PATH: process.env['PATH'], LC_ALL: 'C' } },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
      )
      child.stdin!.end(script)
    })
  return {
    pid,
    run,
    async sh(script) {
      const { code, stdout, stderr } = await run(`set -e\n${script}\n`)
      if (code !== 0) throw new Error(`exit ${code}: ${script}\n${stderr}${stdout}`)
      return stdout
    },
    start(command, ...args) {
      const child = spawn('nsenter', [...inside, command, ...args])
      started.push(child)
      return child
    },
    async close() {
      for (const child of started) child.kill('SIGKILL')
      holder.stdin.end()
      if (holder.exitCode === null) await once(holder, 'exit')
    },
  }
}

/** As if it were a host that is reached by SSH. */
export function sessionOf(machine: Kernel): Pick<Session, 'target' | 'run'> {
  return {
    target: { name: 'node1', host: '127.0.0.1', port: 22, user: 'root', identityFile: '', hostKey: '' },
    async run(script) {
      const { code, stdout, stderr } = await machine.run(script)
      return { exitCode: code, stdout, stderr }
    },
  }
}

export function scope(desired: Table, prior: Table = {}, host: Partial<Scope['host']> = {}): Scope {
  return { desired, prior, host: { nic: 'eth0', iptables: 'auto', ...host }, links: [] }
}

/** What a module finds: its probe, run and read. */
export async function current(on: Kernel, module: Module, of: Scope): Promise<Table> {
  return module.parse(await on.sh(module.probe(of)), of)
}

/** Brings one module's table to `of.desired`, phase by phase; returns the changes that it took. */
export async function apply(on: Kernel, module: Module, of: Scope): Promise<Change[]> {
  const changes = module.diff(await current(on, module, of), of.desired)
  const batches = module.render(changes, of)
  for (const phase of phases)
    for (const batch of batches.filter((one) => one.phase === phase && one.lines.length > 0))
      await on.sh(
        `${batch.command} <<'END OF BATCH'\n${batch.lines.map(({ text }) => text).join('\n')}\nEND OF BATCH`,
      )
  return changes
}
