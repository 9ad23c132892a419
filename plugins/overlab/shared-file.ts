/** The resource overlab:index:SharedFile: one file of the controller in sight of all machines of a namespace lab. */
import { z } from 'zod'
import { name } from '../../inventory/values.ts'
import { namespaceDriver } from '../../machines/namespace.ts'
import { gone, resource } from './resource.ts'

export const sharedFile = resource({
  inputs: z.strictObject({
    lab: name,
    /** What it is called on the machines; says the version, since a file of the same name is taken to be the same. */
    file: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,60}$/, 'is not a file name such as flanneld-0.28.10'),
    source: z.string().regex(/^\//, 'is not an absolute path'),
  }),
  replaceOn: ['lab', 'file'],
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
