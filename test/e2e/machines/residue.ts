/** Runs inside a sandbox: two labs up, used and deleted; prints what differs afterwards. */
import type { Name } from '../../../inventory/values.ts'
import { namespaceDriver } from '../../../machines/namespace.ts'
import { difference, fingerprint } from '../fingerprint.ts'
import { ssh, testLab } from './labs.ts'

const before = await fingerprint()
const labs = [testLab('one', '192.168.200', 2), testLab('a-lab-with-a-long-name', '192.168.201', 2)]
for (const { underlay, machines } of labs) {
  await namespaceDriver.createUnderlay(underlay)
  await Promise.all(machines.map((machine) => namespaceDriver.boot(machine)))
  await ssh(
    underlay.lab,
    'node1',
    'ip netns add pod; iptables -A FORWARD -j ACCEPT; sysctl -qw net.ipv4.ip_forward=1; (setsid sleep 1000 </dev/null >/dev/null 2>&1 &)',
  )
}
if (difference(before, await fingerprint()).length < 20)
  throw new Error('the fingerprint does not see a lab that is up')
for (const { underlay } of labs) await namespaceDriver.deleteUnderlay(underlay.lab)
await namespaceDriver.deleteUnderlay('one' as Name)
const left = difference(before, await fingerprint())
if (left.length > 0) throw new Error(`left over:\n${left.join('\n')}`)
console.log('nothing left over')
