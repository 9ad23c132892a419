import { expect, test } from 'vitest'
import { cutOff } from '../../overlay/cut-off.ts'
import { planLab } from '../../overlay/plan.ts'
import type { Name } from '../../inventory/values.ts'
import { backends, hostsOf, inventoryOf } from '../support/inventory.ts'

const near = { from: '192.168.77.254', dev: 'eth0' }

test.each([
  ['nothing near', { routes: { '10.244.2.0/24': 'via 10.244.2.0 dev flannel.1 onlink' } }, near, []],
  [
    "a peer's subnet that covers this computer",
    { routes: { '10.244.2.0/24': 'via 10.244.2.0 dev flannel.1 onlink' } },
    { from: '10.244.2.9', dev: 'eth0', via: '192.168.77.254' },
    ['routes["10.244.2.0/24"] covers 10.244.2.9, from which overlab reaches the host'],
  ],
  [
    'a route over the gateway',
    { routes: { '192.168.77.0/24': 'dev flannel.1 scope link' } },
    { from: '203.0.113.5', dev: 'eth0', via: '192.168.77.1' },
    [
      'routes["192.168.77.0/24"] covers 192.168.77.1, the gateway to 203.0.113.5, from which overlab reaches the host',
    ],
  ],
  [
    "an address whose link's own route covers it",
    { addresses: { '10.244.2.1/16 dev cni0': 'scope global' } },
    { from: '10.244.9.9', dev: 'eth0' },
    ['addresses["10.244.2.1/16 dev cni0"] covers 10.244.9.9, from which overlab reaches the host'],
  ],
  [
    'the link itself',
    { links: { eth0: 'bridge mtu 1500 address 0a:58:0a:f4:01:01' } },
    near,
    ['links["eth0"] is the link to 192.168.77.254, from which overlab reaches the host'],
  ],
  [
    'a filter rule',
    {
      iptables: {
        'filter FLANNEL-FWD 1': '-s 10.0.0.0/8 -j DROP',
        'filter FLANNEL-FWD 2': '-s 192.168.0.0/16 -p tcp -j DROP',
        'filter FLANNEL-FWD 3': '-p udp -j DROP',
        'filter FLANNEL-FWD 4': '! -s 192.168.77.254/32 -j REJECT',
        'filter FLANNEL-FWD 5': '-d 192.168.77.254/32 -j ACCEPT',
      },
    },
    near,
    ['iptables["filter FLANNEL-FWD 2"] drops packets of 192.168.77.254, from which overlab reaches the host'],
  ],
  [
    'a way by IPv6',
    { routes: { '0.0.0.0/0': 'dev flannel.1 scope link' } },
    { from: '2001:db8::1', dev: 'eth0' },
    [],
  ],
])('%s', (_, state, way, rows) => {
  expect(cutOff(state, way).map(({ table, key, why }) => `${table}["${key}"] ${why}`)).toEqual(rows)
})

test.each(Object.keys(backends) as (keyof typeof backends)[])('%s as it is planned cuts no way', (name) => {
  const { hosts } = planLab(inventoryOf({ backend: backends[name], hosts: hostsOf(3) }))
  expect(cutOff(hosts['node1' as Name]!.state, near)).toEqual([])
})
