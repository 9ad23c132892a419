/** A lab of a few machines for one test: namespace machines, their data plane by the modules, taken away again. */
import type { Backend } from '../../../inventory/inventory.ts'
import type { Cidr, Ip, Name } from '../../../inventory/values.ts'
import { namespaceDriver } from '../../../machines/namespace.ts'
import { rollOut } from '../../../modules/rollout.ts'
import { planLab, type LabPlan } from '../../../overlay/plan.ts'
import { createPool, type Pool } from '../../../remote/pool.ts'
import type { Session } from '../../../remote/session.ts'
import type { Target } from '../../../remote/target.ts'
import { hostOf, inventoryOf } from '../../support/inventory.ts'

export interface SmallLab {
  readonly plan: LabPlan
  readonly targets: Readonly<Record<string, Target>>
  readonly pool: Pool
  readonly session: (host: string) => Promise<Session>
  /** Runs a script on a host; it must succeed. Its standard output. */
  sh(host: string, script: string): Promise<string>
  /** Puts back what the plan says; what a test broke, the next does not find. */
  restore(): Promise<void>
  remove(): Promise<void>
}

/** node1 with two pods and node2 with one. `net` is the underlay's first three octets. */
export async function smallLab(name: string, net: string, backend: Backend): Promise<SmallLab> {
  const lab = name as Name
  const underlay = `${net}.0/24` as Cidr
  const hosts = [1, 2].map((number) => {
    const host = hostOf(number, { address: `${net}.${number}` as Ip })
    return { ...host, pods: host.pods.slice(0, 3 - number) }
  })
  const plan = planLab(inventoryOf({ backend, lab: { name: lab, underlay }, hosts }))
  const pool = createPool()
  const remove = async () => {
    await pool.close()
    await namespaceDriver.deleteUnderlay(lab)
  }
  try {
    await namespaceDriver.createUnderlay({ lab, cidr: underlay, mtu: 1500, owner: 'tests of the trace' })
    const targets: Record<string, Target> = {}
    await Promise.all(
      Object.values(plan.hosts).map(async ({ name, address, mac }) => {
        targets[name] = await namespaceDriver.boot({ lab, name, address, underlay, mtu: 1500, mac })
      }),
    )
    const session = (host: string) => pool.session(targets[host]!)
    const restore = async () => {
      const tasks = Object.fromEntries(
        Object.values(plan.hosts).map(({ name, nic, iptables, state }) => [
          name,
          { target: targets[name]!, plan: { desired: state, prior: state, facts: { nic, iptables } } },
        ]),
      )
      const { failures } = await rollOut(pool, tasks)
      if (failures[0]) throw failures[0]
    }
    await restore()
    return {
      plan,
      targets,
      pool,
      session,
      restore,
      remove,
      async sh(host, script) {
        const { stdout, stderr, exitCode } = await (await session(host)).run(script)
        if (exitCode !== 0) throw new Error(`${host}: exit ${exitCode}: ${script}\n${stderr}`)
        return stdout
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}
