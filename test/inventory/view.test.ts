import { describe, expect, it } from 'vitest'
import { parseInventory } from '../../inventory/load.ts'
import { hostVars, listInventory } from '../../inventory/view.ts'
import { inventoryText } from './inventory-text.ts'

const inventory = parseInventory(
  inventoryText({
    vars: { pods: 1 },
    hosts: { lone9: null },
    children: {
      web: { hosts: { 'web[1:2]': null }, vars: { x_tier: 'front', ansible_user: 'me' } },
      prod: {
        children: { web: null },
        hosts: { db3: { vtep_mac: '0A:58:00:00:00:01', bootstrap: [{ name: 'b', run: 'true' }] } },
      },
    },
  }),
  'lab.yaml',
)

describe('the view of an inventory', () => {
  it('is a tree of groups', () => {
    const web = { name: 'web', children: [], hosts: ['web1', 'web2'] }
    expect(listInventory(inventory)).toEqual({
      name: 'all',
      hosts: ['lone9'],
      children: [web, { name: 'prod', children: [web], hosts: ['db3'] }],
    })
  })

  it("has a host's variables, complete", () => {
    expect(hostVars(inventory, 'web2')).toEqual({
      x_tier: 'front',
      ansible_user: 'me',
      ansible_host: '192.168.0.2',
      machine: 'namespace',
      control: 'static',
      datapath: 'auto',
      number: 2,
      address: '192.168.0.2',
      subnet: '10.0.2.0/24',
      iptables: 'auto',
      pods: { 'web2-pod1': { address: '10.0.2.2' } },
      group_names: ['prod', 'web'],
    })
    expect(hostVars(inventory, 'db3')).toMatchObject({
      vtep_mac: '0a:58:00:00:00:01',
      bootstrap: [{ name: 'b', command: 'true', triggers: [], environment: {} }],
    })
  })

  it('knows no host that is not there', () => expect(hostVars(inventory, 'web3')).toBeUndefined())
})
