/** The overlay pushed to machines that hold nothing: by overlab, and by one OpenSSH client a host (the floor). */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listMachines } from '../../machines/drivers.ts'
import { applyScript, diffState } from '../../modules/apply.ts'
import type { Care } from '../../modules/care.ts'
import { phases } from '../../modules/module.ts'
import { rollOut, type HostTask } from '../../modules/rollout.ts'
import { factsOf, planLab } from '../../overlay/plan.ts'
import { knownHosts } from '../../remote/known-hosts.ts'
import { createPool } from '../../remote/pool.ts'
import { sshConfig } from '../../remote/ssh-config.ts'
import type { Lab } from './project.ts'

export type Tasks = Readonly<Record<string, HostTask>>

export interface Push {
  readonly ms: number
  readonly connects: number
  readonly roundTrips: number
}

/** Of a lab that is up. `care` is for hosts that overlab did not make. */
export async function tasksOf(lab: Pick<Lab, 'name' | 'inventory'>, care?: Care): Promise<Tasks> {
  const planned = planLab(lab.inventory()).hosts
  return Object.fromEntries(
    [...(await listMachines(lab.name)).values()].map(({ target }): [string, HostTask] => {
      const host = planned[target.name]!
      const plan = { desired: host.state, prior: {}, facts: factsOf(host) }
      return [target.name, { target, plan, ...(care && { care }) }]
    }),
  )
}

/** Takes overlab's state off every host; the machines stay. */
export async function wipe(tasks: Tasks, signal: AbortSignal): Promise<void> {
  const bare = Object.entries(tasks).map(([host, { plan, ...task }]): [string, HostTask] => [
    host,
    { ...task, plan: { ...plan, desired: {}, prior: plan.desired } },
  ])
  await pushed(Object.fromEntries(bare), signal)
}

/** By overlab's own roll-out, connections included: it reads every host first, then applies. */
export async function pushed(tasks: Tasks, signal: AbortSignal): Promise<Push> {
  const pool = createPool()
  try {
    const from = performance.now()
    const { failures } = await rollOut(pool, tasks, { signal })
    const ms = performance.now() - from
    if (failures[0]) throw failures[0]
    const { connects, roundTrips } = pool
    return { ms, connects, roundTrips }
  } finally {
    await pool.close()
  }
}

/** By OpenSSH: all clients at once, each given its host's changes as one script on standard input. Nothing is read first. */
export async function floor(folder: string, tasks: Tasks, signal: AbortSignal): Promise<number> {
  const all = Object.values(tasks)
  const [config, known] = [join(folder, 'ssh_config'), join(folder, 'known_hosts')]
  writeFileSync(known, knownHosts(all.map(({ target }) => target)))
  writeFileSync(
    config,
    sshConfig(
      all.map(({ target }) => target),
      known,
    ),
  )
  const scripts = all.map(({ target, plan }) => ({
    host: target.name,
    shell: target.become ? 'sudo -n sh' : 'sh',
    script: applyScript(diffState({}, plan.desired), plan, phases),
  }))
  const from = performance.now()
  await Promise.all(
    scripts.map(
      ({ host, shell, script }) =>
        new Promise<void>((resolve, reject) => {
          const child = spawn('ssh', ['-F', config, '-o', 'BatchMode=yes', host, shell], {
            stdio: ['pipe', 'pipe', 'pipe'],
            signal,
          })
          let [stdout, stderr] = ['', '']
          child.stdout.on('data', (chunk) => (stdout += String(chunk)))
          child.stderr.on('data', (chunk) => (stderr += String(chunk)))
          child.on('error', reject)
          child.on('close', (code) =>
            code === 0 && stdout.includes('@overlab done')
              ? resolve()
              : reject(new Error(`ssh ${host}: exit ${code}\n${stderr}`)),
          )
          // A login of no root has no sbin.
          child.stdin.end(`PATH=$PATH:/usr/sbin:/sbin\n${script}`)
        }),
    ),
  )
  return performance.now() - from
}
