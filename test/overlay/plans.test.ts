/** Whole labs, row by row, as the files in plans/ have them. After a change on purpose: `vitest -u`, and read the diff. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadInventory } from '../../inventory/load.ts'
import type { Cidr, Ip, Mac, Name } from '../../inventory/values.ts'
import { planLab } from '../../overlay/plan.ts'
import { backends, hostOf, hostsOf, inventoryOf, type Given } from '../support/inventory.ts'
import { renderPlan } from './render.ts'

const labs: Readonly<Record<string, Given>> = {
  vxlan: { hosts: hostsOf(3) },
  'vxlan-directrouting': { backend: backends['vxlan-directrouting'], hosts: hostsOf(3) },
  'vxlan-directrouting-off-link': {
    backend: backends['vxlan-directrouting'],
    hosts: [...hostsOf(2), hostOf(3, { address: '198.51.100.3' as Ip })],
  },
  'host-gw': { backend: backends['host-gw'], hosts: hostsOf(3) },
  udp: { backend: backends.udp, hosts: hostsOf(3) },
  'udp-datapaths': {
    backend: { Type: 'udp', Port: 8286 },
    hosts: [
      hostOf(1, { datapath: 'fou' }),
      hostOf(2, { datapath: 'bpf' }),
      hostOf(3, { control: 'flanneld' }),
    ],
  },
  'vxlan-10-hosts': { hosts: hostsOf(10) },
  'vxlan-mtu-vni-port': {
    backend: { Type: 'vxlan', VNI: 4096, Port: 4789, MTU: 1400, DirectRouting: false },
    hosts: hostsOf(2),
  },
  'jumbo-underlay': { backend: backends.udp, lab: { mtu: 9000 }, hosts: hostsOf(2) },
  'udp-port': { backend: { Type: 'udp', Port: 18285 }, hosts: hostsOf(2) },
  'small-subnets': {
    overlay: {
      Network: '172.20.0.0/20' as Cidr,
      SubnetLen: 28,
      SubnetMin: '172.20.0.16' as Ip,
      SubnetMax: '172.20.15.240' as Ip,
    },
    hosts: [
      hostOf(1, {
        subnet: '172.20.0.16/28' as Cidr,
        pods: [{ name: 'web' as Name, address: '172.20.0.18' as Ip }],
      }),
      hostOf(2, { subnet: '172.20.0.32/28' as Cidr, pods: [] }),
    ],
  },
  'explicit-and-legacy': {
    hosts: [
      hostOf(1, {
        iptables: 'legacy',
        vtepMac: '56:c7:49:48:ee:87' as Mac,
        subnet: '10.244.53.0/24' as Cidr,
      }),
      hostOf(2, { iptables: 'nft', name: 'gateway' as Name }),
    ],
  },
  'one-host': { hosts: hostsOf(1) },
}

test.each(Object.keys(labs))('%s', async (name) => {
  const plan = renderPlan(planLab(inventoryOf(labs[name]!)))
  await expect(plan).toMatchFileSnapshot(`plans/${name}.txt`)
})

test('impairments', async () => {
  const file = join(import.meta.dirname, '../inventory/right/impairments.yaml')
  await expect(renderPlan(planLab(loadInventory(file)))).toMatchFileSnapshot('plans/impairments.txt')
})

test.each(['lab', 'example-groups'])('inventory/%s.yaml', async (name) => {
  const plan = renderPlan(planLab(loadInventory(join(import.meta.dirname, `../../inventory/${name}.yaml`))))
  await expect(plan).toMatchFileSnapshot(`plans/inventory-${name}.txt`)
})
