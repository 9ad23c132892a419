/** What every machine of this computer is started with. */
import { cidr, ip, mac, name as nameSchema } from '../../inventory/values.ts'
import type { MachineSpec } from '../machine.ts'
import { controllerOf } from '../network.ts'

/** The words of a machine's start, checked: `ADDRESS PREFIX CONTROLLER MTU MAC`. */
export function specWords(spec: MachineSpec): string[] {
  nameSchema.parse(spec.lab)
  nameSchema.parse(spec.name)
  const { controller, prefix } = controllerOf(cidr.parse(spec.underlay))
  return [ip.parse(spec.address), String(prefix), controller, String(Number(spec.mtu)), mac.parse(spec.mac)]
}
