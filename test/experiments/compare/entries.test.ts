/** How many entries a host needs, and how that grows: by the plan. */
import { expect, test } from 'vitest'
import { plannedEntries, plannedFor } from '../../../experiments/compare/entries.ts'
import type { Cidr } from '../../../inventory/values.ts'
import { planLab } from '../../../overlay/plan.ts'
import { backends, hostsOf, inventoryOf } from '../../support/inventory.ts'

const sizes = [3, 10, 50]
test.each([
  // A device and 8 iptables rules; for each peer a route, a neighbour and an FDB entry.
  ['vxlan', 'namespace', sizes.map((hosts) => 11 + 3 * (hosts - 1))],
  // A device less; for each peer a route.
  ['host-gw', 'namespace', sizes.map((hosts) => 10 + hosts - 1)],
  // One route and a filter; a row for every host, its own too.
  ['udp', 'namespace', sizes.map((hosts) => 12 + hosts - 1)],
  // By FOU: a device, a port, and for each peer a route.
  ['udp', 'qemu', sizes.map((hosts) => 12 + hosts - 1)],
] as const)('%s, %s', (name, machine, wanted) => {
  const { lab } = inventoryOf({ backend: backends[name], hosts: hostsOf(3) })
  expect(sizes.map((hosts) => plannedFor(lab, machine, hosts))).toEqual(wanted)
})

test('pods and their bridge are not counted', () => {
  const [one, ...rest] = hostsOf(3)
  const count = (pods: typeof one) => {
    const { hosts } = planLab(inventoryOf({ hosts: [pods!, ...rest] }))
    return plannedEntries(hosts['node1']!)
  }
  expect(count({ ...one!, pods: [] })).toBe(count(one))
})

test('a network without room is a reason', () => {
  const small = { Network: '10.244.0.0/22' as Cidr, SubnetMax: '10.244.3.0' as never }
  expect(plannedFor(inventoryOf({ hosts: hostsOf(2), overlay: small }).lab, 'namespace', 10)).toMatch(
    /no room for 10 hosts/,
  )
})
