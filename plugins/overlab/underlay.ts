/** The resource overlab:index:Underlay. */
import { z } from 'zod'
import { cidr, name } from '../../inventory/values.ts'
import { namespaceDriver } from '../../machines/namespace.ts'
import { gone, resource } from './resource.ts'

const inputs = z.strictObject({
  lab: name,
  cidr,
  mtu: z.int().min(576).max(65535),
  owner: z.string().min(1),
})

export const underlay = resource({
  inputs,
  /** An underlay whose prefix or MTU changes takes its machines with it: they hang on its bridge. */
  replaceOn: ['lab', 'cidr', 'mtu'],
  async create(spec) {
    return { id: spec.lab, outputs: await namespaceDriver.createUnderlay(spec) }
  },
  async read(spec) {
    const underlay = await namespaceDriver.readUnderlay(spec.lab)
    return underlay ? { outputs: underlay } : gone
  },
  async update(spec) {
    return { outputs: await namespaceDriver.createUnderlay(spec) }
  },
  async delete(spec) {
    await namespaceDriver.deleteUnderlay(spec.lab)
  },
})
