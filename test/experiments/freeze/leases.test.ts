import { expect, test } from 'vitest'
import { configDifferences } from '../../../experiments/freeze/freeze.ts'
import { leasesOf } from '../../../experiments/freeze/leases.ts'
import { configKey, etcdPrefix, netConf } from '../../../overlay/net-conf.ts'
import { hostsOf, inventoryOf } from '../../support/inventory.ts'

const { lab } = inventoryOf({ hosts: hostsOf(3) })

test.each([
  [
    '10.244.9.0-24',
    '{"PublicIP":"192.168.77.9","PublicIPv6":null}',
    { subnet: '10.244.9.0/24', address: '192.168.77.9', backend: 'udp' },
  ],
  ['10.244.9.0-24', 'x', { wrong: 'is no JSON' }],
  [
    '10.244.9.0-24',
    '{"PublicIP":"fd00::1"}',
    { wrong: expect.stringContaining("is no lease of flannel's: PublicIP") as string },
  ],
  ['10.244.9.0-24&fd77:1::-64', '{}', { wrong: expect.stringContaining('is no IPv4 subnet') as string }],
] as const)('%s %s', (key, value, content) => {
  const path = `${etcdPrefix}/subnets/${key}`
  expect(leasesOf({ [configKey]: '{}', [path]: value })).toEqual([{ key: path, ...content }])
})

test.each([
  [netConf(lab), []],
  // flannel's own defaults are the inventory's.
  ['{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}', []],
  [
    '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","Port":4789,"MTU":1400}}',
    [
      'Backend.Port: 4789 in etcd, 8472 in the inventory',
      'Backend.MTU: 1400 in etcd, nothing in the inventory',
    ],
  ],
  ['{"Network":"10.244.0.0/16","Backend":{"Type":"wireguard"}}', [expect.stringContaining('wireguard')]],
  ['{', [expect.stringContaining(configKey)]],
] as const)('net-conf.json %s', (text, differences) => {
  expect(configDifferences(lab, { [configKey]: text }).sort()).toEqual([...differences].sort())
})

test('no net-conf.json at all', () => {
  expect(configDifferences(lab, {})).toEqual([`${configKey} is missing`])
})
