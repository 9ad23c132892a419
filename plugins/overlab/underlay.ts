/** The resource overlab:index:Underlay. */
import { z } from 'zod'
import { cidr, name } from '../../inventory/values.ts'
import { namespaceDriver } from '../../machines/namespace.ts'
import { gone, resource } from './resource.ts'

export const underlay = resource({
  inputs: z.strictObject({
    lab: name,
    cidr,
    mtu: z.int().min(576).max(65535),
    owner: z.string().min(1),
  }),
  // The machines hang on its bridge, so another prefix or MTU takes them with it.
  replaceOn: ['lab', 'cidr', 'mtu'],
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
