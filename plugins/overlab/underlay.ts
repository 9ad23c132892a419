/** The resource overlab:index:Underlay. */
import { z } from 'zod'
import { cidr, name } from '../../inventory/values.ts'
import { namespaceDriver } from '../../machines/namespace.ts'
import { type Form, gone, resource } from './resource.ts'

const inputs = z.strictObject({
  lab: name.describe("The lab's name; machines and files on this computer are found by it."),
  cidr: cidr.describe('The network that joins the machines, such as 192.168.77.0/24.'),
  mtu: z.int().min(576).max(65535).describe("MTU of the underlay's links, in bytes."),
  owner: z.string().min(1).describe("Who may change the lab: another owner's attempt is refused."),
})

const outputs = z.object({
  controller: z.string().describe("This computer's address in the underlay."),
  identityFile: z
    .string()
    .describe(
      "Path of the private key that the lab's machines accept. The key itself never enters Pulumi's state.",
    ),
})

export const underlayForm: Form<z.output<typeof inputs>, z.output<typeof outputs>> = {
  description:
    "The network that joins a lab's machines and this computer to them; also the lab's SSH client key.",
  inputs,
  outputs,
  // The machines hang on its bridge, so another prefix or MTU takes them with it.
  replaceOn: ['lab', 'cidr', 'mtu'],
}

export const underlay = resource(underlayForm, {
  async create(spec) {
    return { id: spec.lab, learnt: await namespaceDriver.createUnderlay(spec) }
  },
  async read(spec) {
    const learnt = await namespaceDriver.readUnderlay(spec.lab)
    return learnt ? { learnt } : gone
  },
  async update(spec) {
    return { learnt: await namespaceDriver.createUnderlay(spec) }
  },
  async delete(spec) {
    await namespaceDriver.deleteUnderlay(spec.lab)
  },
})
