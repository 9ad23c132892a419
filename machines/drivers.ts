/** The kinds of machines, by the names that an inventory has for them. A lab may mix them. */
import type { MachineKind } from '../inventory/inventory.ts'
import type { Name } from '../inventory/values.ts'
import type { Driver, MachineStatus } from './machine.ts'
import { namespaceDriver } from './namespace.ts'
import { qemuDriver } from './qemu.ts'
import { listHosts } from './ssh/records.ts'

const drivers: Readonly<Partial<Record<MachineKind, Driver>>> = {
  namespace: namespaceDriver,
  qemu: qemuDriver,
}

/** @throws Error where the kind has none yet, which the inventory refuses before. */
export function driverOf(kind: MachineKind): Driver {
  const driver = drivers[kind]
  if (!driver) throw new Error(`there is no driver for machines of the kind ${kind}`)
  return driver
}

/** Every machine of a lab, of whatever kind, by name; running or not. Hosts that exist have no driver: nobody made them. */
export async function listMachines(lab: Name): Promise<Map<string, MachineStatus>> {
  const found = await Promise.all([
    ...Object.values(drivers).map((driver) => driver.list(lab)),
    listHosts(lab),
  ])
  return new Map(found.flat().map((machine) => [machine.target.name, machine]))
}
