/** The plan of a stack's lab, by what the last `up` or `refresh` found on its hosts. No host is asked. */
import type { Inventory } from '../inventory/inventory.ts'
import { placed, readFound } from '../machines/found.ts'
import { planLab, type LabPlan } from '../overlay/plan.ts'

export function plannedLab(inventory: Inventory): LabPlan {
  const found = readFound(inventory.lab.name)
  const hosts = inventory.hosts.map((host) => {
    const place = found[host.name]?.place
    return place ? placed(host, place) : host
  })
  const kernels = Object.fromEntries(Object.entries(found).map(([host, { fou }]) => [host, fou]))
  return planLab({ ...inventory, hosts }, kernels)
}
