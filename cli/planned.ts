/** The plan of a stack's lab, by what the last `up` or `refresh` found on its hosts. No host is asked. */
import type { Inventory } from '../inventory/inventory.ts'
import { placed, readFound } from '../machines/found.ts'
import { offLink } from '../overlay/links.ts'
import { planLab, type LabPlan } from '../overlay/plan.ts'
import { UserError } from './user-error.ts'

/** @throws UserError where the backend cannot serve what was found */
export function plannedLab(inventory: Inventory): LabPlan {
  const found = readFound(inventory.lab.name)
  const hosts = inventory.hosts.map((host) => {
    const place = found[host.name]?.place
    return place ? placed(host, place) : host
  })
  const kernels = Object.fromEntries(Object.entries(found).map(([host, { fou }]) => [host, fou]))
  const [behind] = Object.entries(offLink({ ...inventory, hosts }))
  if (behind) throw new UserError(behind.join(': '), '')
  return planLab({ ...inventory, hosts }, kernels)
}
