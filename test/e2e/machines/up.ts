/** `up.ts LAB NET COUNT`: creates a lab and boots its machines; the process that the interruption test kills. */
import { namespaceDriver } from '../../../machines/namespace.ts'
import { testLab } from './labs.ts'

const [lab = '', net = '', count = ''] = process.argv.slice(2)
const spec = testLab(lab, net, Number(count))
await namespaceDriver.createUnderlay({ ...spec.underlay, owner: 'up' })
await Promise.all(spec.machines.map((machine) => namespaceDriver.boot(machine)))
