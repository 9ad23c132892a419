/** Hosts whose NIC has its address with /32, as clouds give it: peers on the same network are behind a router. */
import { expect, test } from 'vitest'
import type { Cidr } from '../../inventory/values.ts'
import { offLink } from '../../overlay/links.ts'
import { planLab } from '../../overlay/plan.ts'
import { backends, hostOf, hostsOf, inventoryOf } from '../support/inventory.ts'

const alone = ['192.168.77.254/32'] as Cidr[]
const shared = ['192.168.77.0/24'] as Cidr[]
const labOf = (backend: keyof typeof backends, ...onLink: (Cidr[] | undefined)[]) =>
  inventoryOf({
    backend: backends[backend],
    hosts: onLink.map((prefixes, index) => hostOf(index + 1, prefixes ? { onLink: prefixes } : {})),
  })
const routesOf = (inventory: ReturnType<typeof labOf>) =>
  Object.values(planLab(inventory).hosts).map(({ state }) => Object.values(state.routes ?? {}))

test('DirectRouting takes the tunnel to and from such a host, and the link between the others', () => {
  const plan = planLab(labOf('vxlan-directrouting', alone, shared, undefined))
  const ways = Object.values(plan.hosts).map(({ state }) =>
    Object.values(state.routes ?? {}).map((line) => (line.includes('flannel.1') ? 'tunnel' : 'link')),
  )
  expect(ways).toEqual([
    ['tunnel', 'tunnel'],
    ['tunnel', 'link'],
    ['tunnel', 'link'],
  ])
  expect(Object.keys(plan.hosts['node2']!.state.neighbours ?? {})).toHaveLength(1)
})

test('host-gw is refused on such a host, with its peers and what the NIC reaches', () => {
  const all = labOf('host-gw', alone, alone, shared)
  expect(offLink(all)).toEqual({
    node1: expect.stringContaining(
      'node2 (192.168.77.2), node3 (192.168.77.3) are behind a router: its NIC is connected to 192.168.77.254/32 only',
    ) as string,
    node2: expect.stringContaining('node1 (192.168.77.1), node3') as string,
  })
  expect(() => planLab(all)).toThrow('host-gw needs every host on one link')
  expect(offLink(labOf('vxlan', alone, alone))).toEqual({})
})

test('where nobody has looked, or each is on the link, nothing changes', () => {
  expect(offLink(labOf('host-gw', undefined, undefined))).toEqual({})
  expect(offLink(labOf('host-gw', shared, undefined, shared))).toEqual({})
  for (const backend of ['host-gw', 'vxlan-directrouting'] as const)
    expect(routesOf(labOf(backend, shared, shared, shared))).toEqual(
      routesOf(inventoryOf({ backend: backends[backend], hosts: hostsOf(3) })),
    )
})
