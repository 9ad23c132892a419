/** The resource overlab:index:Machine. */
import { z } from 'zod'
import { cidr, ip, mac, name } from '../../inventory/values.ts'
import type { MachineSpec } from '../../machines/machine.ts'
import { namespaceDriver } from '../../machines/namespace.ts'
import type { Target } from '../../remote/target.ts'
import { gone, resource } from './resource.ts'

const inputs = z.strictObject({
  lab: name,
  hostname: name,
  address: ip,
  underlay: cidr,
  mtu: z.int().min(576).max(65535),
  mac,
})

export const machine = resource({
  inputs,
  replaceOn: ['lab', 'hostname', 'address', 'underlay', 'mtu', 'mac'],
  async create(args) {
    const target = await namespaceDriver.boot(specOf(args))
    return { id: `${args.lab}/${args.hostname}`, outputs: outputsOf(target) }
  },
  async read(args) {
    const target = await namespaceDriver.read(specOf(args))
    return target ? { outputs: outputsOf(target) } : gone
  },
  async delete(args) {
    await namespaceDriver.remove(args.lab, args.hostname)
  },
})

function specOf({ hostname, ...rest }: z.output<typeof inputs>): MachineSpec {
  return { name: hostname, ...rest }
}

function outputsOf({ port, user, hostKey }: Target): Record<string, unknown> {
  return { port, user, hostKey }
}
