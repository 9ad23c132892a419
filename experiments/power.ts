/** The plug of a machine that overlab made. */
import type { Inventory } from '../inventory/inventory.ts'
import { driverOf } from '../machines/drivers.ts'
import type { Say } from '../machines/machine.ts'
import type { LabPlan } from '../overlay/plan.ts'

export interface Power {
  /** Pulls it: whatever was in the machine's memory is gone, its files stay. */
  cut(): Promise<void>
  /** Boots the machine on its files; when SSH answers. @throws HostError */
  on(say?: Say): Promise<void>
}

/** @throws Error for a host that exists, whose plug is out of reach */
export function powerOf(
  { inventory, plan }: { readonly inventory: Inventory; readonly plan: LabPlan },
  host: string,
): Power {
  const { lab } = inventory
  const { name, machine, address, qemu } = inventory.hosts.find((one) => one.name === host)!
  const driver = driverOf(machine)
  return {
    cut: () => driver.powerCut(lab.name, name),
    async on(say) {
      const { mac } = plan.hosts[name]!
      const { underlay, mtu } = lab
      await driver.boot({ lab: lab.name, name, address, underlay, mtu, mac, ...(qemu && { qemu }) }, say)
    },
  }
}
