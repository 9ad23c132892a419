import { describe, expect, it } from 'vitest'
import type { Cidr, Name } from '../../inventory/values.ts'
import { findConflict } from '../../machines/lab/conflict.ts'
import type { LabRecord, Surroundings } from '../../machines/lab/conflict.ts'
import { controllerLink, portLink } from '../../machines/lab/paths.ts'
import { controllerOf } from '../../machines/network.ts'

const spec = { lab: 'demo' as Name, cidr: '192.168.77.0/24' as Cidr, mtu: 1500, owner: 'demo in /a' }
const empty: Surroundings = { labs: [], addresses: [], routes: [{ dst: 'default', dev: 'eth0' }], alias: '' }
const own: LabRecord = { ...spec, controller: '192.168.77.254', link: 'ovl-demo' }
const other: LabRecord = { ...own, lab: 'other', owner: 'other in /b', link: 'ovl-other' }

const cases: [string, Partial<Surroundings>, { why: string; hint: string } | undefined][] = [
  ['nothing there', {}, undefined],
  [
    'the lab itself is up',
    {
      labs: [own],
      alias: 'overlab demo',
      addresses: [{ ifname: 'ovl-demo', addr_info: [{ local: '192.168.77.254', prefixlen: 24 }] }],
      routes: [
        { dst: '192.168.77.0/24', dev: 'ovl-demo' },
        { type: 'local', dst: '192.168.77.254', dev: 'ovl-demo' },
      ],
    },
    undefined,
  ],
  [
    'another owner',
    { labs: [{ ...own, owner: 'demo in /b' }] },
    {
      why: 'the lab belongs to demo in /b, not to demo in /a',
      hint: 'give this lab another name, or destroy the other one from where it was made',
    },
  ],
  [
    'another underlay of its own',
    { labs: [{ ...own, cidr: '192.168.78.0/24' }] },
    {
      why: 'the lab is up with the underlay 192.168.78.0/24 (MTU 1500), not 192.168.77.0/24 (MTU 1500)',
      hint: 'destroy it first; its machines can not move to another underlay',
    },
  ],
  [
    "another lab's underlay",
    {
      labs: [other],
      addresses: [{ ifname: 'ovl-other', addr_info: [{ local: '192.168.77.254', prefixlen: 24 }] }],
      routes: [{ dst: '192.168.77.0/24', dev: 'ovl-other' }],
    },
    {
      why: 'the underlay 192.168.77.0/24 overlaps the underlay 192.168.77.0/24 of the lab other, which is up (other in /b)',
      hint: 'pick another one; 192.168.78.0/24 is free',
    },
  ],
  [
    "the machine's own address, a wider prefix",
    { addresses: [{ ifname: 'eth0', addr_info: [{ local: '192.168.0.9', prefixlen: 16 }] }] },
    {
      why: "the underlay 192.168.77.0/24 overlaps this machine's address 192.168.0.9/16 on eth0",
      hint: 'pick another one; 172.31.0.0/24 is free',
    },
  ],
  [
    'a route to a part of it',
    { routes: [{ dst: '192.168.77.128/25', gateway: '10.0.0.1', dev: 'tun0' }] },
    {
      why: "the underlay 192.168.77.0/24 overlaps this machine's route to 192.168.77.128/25 via 10.0.0.1 dev tun0",
      hint: 'pick another one; 192.168.78.0/24 is free',
    },
  ],
  ['a VPN that took everything', { routes: [{ dst: '128.0.0.0/1', dev: 'tun0' }] }, undefined],
  [
    'a name that only starts alike',
    { labs: [{ ...other, lab: 'demo2', cidr: '192.168.78.0/24' }] },
    undefined,
  ],
  [
    "somebody's link with our name",
    { alias: 'theirs' },
    {
      why: 'this machine has a link ovl-demo that overlab did not make for this lab',
      hint: 'give the lab another name, or the link',
    },
  ],
]

describe('findConflict', () => {
  it.each(cases)('%s', (_, around, expected) => {
    expect(findConflict(spec, 'ovl-demo', { ...empty, ...around })).toEqual(expected)
  })
})

describe('link names', () => {
  it.each([
    ['demo', /^ovl-demo$/],
    ['elevenchars', /^ovl-elevenchars$/],
    ['twelve-chars', /^ovl\.[0-9a-f]{11}$/],
  ])('%s', (lab, link) => {
    expect(controllerLink(lab as Name)).toMatch(link)
  })
  it('differ where only the ends of long names do', () => {
    const names = ['a-rather-long-name-1', 'a-rather-long-name-2'] as Name[]
    expect(new Set(names.map(controllerLink)).size).toBe(2)
    expect(new Set(names.map(portLink)).size).toBe(2)
  })
})

describe('controllerOf', () => {
  it.each([
    ['192.168.77.0/24', '192.168.77.254', 24],
    ['10.0.0.0/8', '10.255.255.254', 8],
    ['192.168.77.64/26', '192.168.77.126', 26],
  ])('%s', (network, controller, prefix) => {
    expect(controllerOf(network as Cidr)).toEqual({ controller, prefix })
  })
})
