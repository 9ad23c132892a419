/** The overlay pushed to machines that hold nothing: by overlab, and by one OpenSSH client a host (the floor). */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { targets } from '../../machines/namespace.ts'
import { applyScript, diffState } from '../../modules/apply.ts'
import { phases } from '../../modules/module.ts'
import { rollOut, type HostTask } from '../../modules/rollout.ts'
import { planLab } from '../../overlay/plan.ts'
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

export async function tasksOf(lab: Lab): Promise<Tasks> {
  const planned = planLab(lab.inventory()).hosts
  return Object.fromEntries(
    (await targets(lab.name)).map((target) => {
      const { nic, iptables, state } = planned[target.name]!
      return [target.name, { target, plan: { desired: state, prior: {}, facts: { nic, iptables } } }]
    }),
  )
}

/** Takes overlab's state off every host; the machines stay. */
export async function wipe(tasks: Tasks): Promise<void> {
  const bare = Object.entries(tasks).map(([host, { target, plan }]) => [
    host,
    { target, plan: { ...plan, desired: {}, prior: plan.desired } },
  ])
  await pushed(Object.fromEntries(bare) as Tasks)
}

/** By overlab's own roll-out, connections included: it reads every host first, then applies. */
export async function pushed(tasks: Tasks): Promise<Push> {
  const pool = createPool()
  const from = performance.now()
  const { failures } = await rollOut(pool, tasks)
  const ms = performance.now() - from
  if (failures[0]) throw failures[0]
  const { connects, roundTrips } = pool
  await pool.close()
  return { ms, connects, roundTrips }
}

/** By OpenSSH: all clients at once, each given its host's changes as one script on standard input. Nothing is read first. */
export async function floor(lab: Lab, tasks: Tasks): Promise<number> {
  const all = Object.values(tasks)
  const [config, known] = [join(lab.folder, 'ssh_config'), join(lab.folder, 'known_hosts')]
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
    script: applyScript(diffState({}, plan.desired), plan, phases),
  }))
  const from = performance.now()
  await Promise.all(
    scripts.map(
      ({ host, script }) =>
        new Promise<void>((resolve, reject) => {
          const child = spawn('ssh', ['-F', config, '-o', 'BatchMode=yes', host, 'sh'], {
            stdio: ['pipe', 'pipe', 'pipe'],
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
          child.stdin.end(script)
        }),
    ),
  )
  return performance.now() - from
}
