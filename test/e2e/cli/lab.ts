/** A small lab on real namespaces, built without Pulumi: its machines and its data plane, and nothing else. */
import type { Inventory } from '../../../inventory/inventory.ts'
import { loadInventory } from '../../../inventory/load.ts'
import { namespaceDriver } from '../../../machines/namespace.ts'
import { rollOut } from '../../../modules/rollout.ts'
import { planLab } from '../../../overlay/plan.ts'
import { createPool } from '../../../remote/pool.ts'

/** @throws the first failure of any host */
export async function buildLab(file: string): Promise<Inventory> {
  const inventory = loadInventory(file)
  const { lab } = inventory
  const { hosts } = planLab(inventory)
  const spec = { lab: lab.name, mtu: lab.mtu }
  await namespaceDriver.createUnderlay({ ...spec, cidr: lab.underlay, owner: `test of ${lab.name}` })
  const pool = createPool()
  try {
    const tasks = await Promise.all(
      Object.values(hosts).map(async ({ name, address, mac, state, nic, iptables }) => {
        const target = await namespaceDriver.boot({ ...spec, name, address, mac, underlay: lab.underlay })
        return [name, { target, plan: { desired: state, prior: {}, facts: { nic, iptables } } }] as const
      }),
    )
    const { failures } = await rollOut(pool, Object.fromEntries(tasks))
    if (failures[0]) throw failures[0]
  } finally {
    await pool.close()
  }
  return inventory
}
