/** Runs inside a sandbox: each backend's lab up and destroyed; prints what differs afterwards. */
import { difference, fingerprint } from '../fingerprint.ts'
import { lostPairs, makeLab } from './lab.ts'
import { makeProject } from './project.ts'

const project = makeProject()
try {
  for (const Type of ['host-gw', 'vxlan']) {
    const lab = await makeLab(project, { backend: { Type } })
    const before = await fingerprint()
    await lab.up()
    const lost = await lostPairs(lab)
    if (lost.length > 0) throw new Error(lost.join('\n'))
    if (difference(before, await fingerprint()).length < 20)
      throw new Error('the fingerprint does not see a lab that is up')
    await lab.destroy()
    const left = difference(before, await fingerprint())
    if (left.length > 0) throw new Error(`${Type}: left over:\n${left.join('\n')}`)
  }
  console.log('nothing left over')
} finally {
  project.remove()
}
