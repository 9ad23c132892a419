/** The resource overlab:index:SharedFile: one file of the controller in sight of all machines of a namespace lab. */
import { z } from 'zod'
import { name } from '../../inventory/values.ts'
import { namespaceDriver } from '../../machines/namespace.ts'
import { type Form, gone, resource } from './resource.ts'

const inputs = z.strictObject({
  lab: name.describe("The lab's name."),
  file: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,60}$/, 'is not a file name such as flanneld-0.28.10')
    .describe('Its name on the machines, with its version: a file of the same name is taken to be the same.'),
  source: z.string().regex(/^\//, 'is not an absolute path').describe('Its path on this computer.'),
})

const outputs = z.object({ path: z.string().describe('Its path on the machines.') })

export const sharedFileForm: Form<z.output<typeof inputs>, z.output<typeof outputs>> = {
  description:
    'One file of this computer in sight of all machines of a namespace lab, read-only and executable.',
  inputs,
  outputs,
  replaceOn: ['lab', 'file'],
}

export const sharedFile = resource(sharedFileForm, {
  async create({ lab, file, source }) {
    return { id: `${lab}/${file}`, learnt: { path: await namespaceDriver.share(lab, file, source) } }
  },
  async read({ lab, file }) {
    const path = await namespaceDriver.readShared(lab, file)
    return path === undefined ? gone : { learnt: { path } }
  },
  async update({ lab, file, source }) {
    return { learnt: { path: await namespaceDriver.share(lab, file, source) } }
  },
  async delete({ lab, file }) {
    await namespaceDriver.unshare(lab, file)
  },
})
