import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../inventory/inventory.ts'
import type { Cidr, IfName, Ip, Mac } from '../../inventory/values.ts'
import type { HostState } from '../../modules/state.ts'
import { planControl } from '../../overlay/control-plane.ts'
import { leaseValue, subnetKey } from '../../overlay/net-conf.ts'
import { factsOf, nodeOf, planLab, pushedOf } from '../../overlay/plan.ts'
import { backends, hostOf, hostsOf, inventoryOf } from '../support/inventory.ts'

const names = Object.keys(backends) as (keyof typeof backends)[]

/** Three hosts; those with a number in `byFlanneld` are flanneld's. */
function mixed(backend: keyof typeof backends, byFlanneld: readonly number[]) {
  const hosts: Host[] = hostsOf(3).map((host) => ({
    ...host,
    control: byFlanneld.includes(host.number) ? 'flanneld' : 'static',
  }))
  const inventory = inventoryOf({ backend: backends[backend], hosts })
  const plan = planLab(inventory)
  return { plan, control: planControl(inventory, plan, '/run/overlab/shared/flanneld-1') }
}

test.each(names)('%s: what all hosts static hold does not know of flanneld', (backend) => {
  const { plan, control } = mixed(backend, [])
  expect(control).toBeUndefined()
  for (const host of Object.values(plan.hosts)) {
    expect(pushedOf(host)).toBe(host.state)
    expect(factsOf(host)).toEqual({ nic: 'eth0', iptables: 'auto' })
    expect(host.state).not.toHaveProperty('offloads')
  }
})

test('etcd runs on the first host under flanneld, in the underlay only; every host has its subnet in it', () => {
  const { control } = mixed('vxlan', [2, 3])
  expect(control?.etcd.host).toBe('node2')
  expect(control?.endpoint).toBe('http://192.168.77.2:2379')
  const listening = control?.etcd.argv.filter((word) => word.includes('://')) ?? []
  expect(listening.length).toBeGreaterThan(3)
  for (const word of listening) expect(word).toMatch(/http:\/\/192\.168\.77\.2:23(79|80)$/)
  expect(Object.keys(control?.keys ?? {})).toEqual([
    '/coreos.com/network/config',
    ...[1, 2, 3].map((number) => `/coreos.com/network/subnets/10.244.${number}.0-24`),
  ])
  expect(JSON.parse(control?.keys['/coreos.com/network/config'] ?? '')).toEqual({
    Network: '10.244.0.0/16',
    SubnetLen: 24,
    SubnetMin: '10.244.1.0',
    SubnetMax: '10.244.255.0',
    Backend: { Type: 'vxlan', VNI: 1, Port: 8472, DirectRouting: false },
  })
  expect(control?.flanneld.map(({ host }) => host)).toEqual(['node2', 'node3'])
  expect(control?.flanneld[0]?.argv).toEqual([
    '/run/overlab/shared/flanneld-1',
    '--iface=eth0',
    '--etcd-endpoints=http://192.168.77.2:2379',
    '--ip-masq',
    '--subnet-file=/run/flannel/subnet.env',
  ])
})

test("another backend starts flanneld anew; another host's coming does not", () => {
  const triggers = (backend: keyof typeof backends) => mixed(backend, [1]).control?.flanneld[0]?.triggers
  expect(triggers('vxlan')).not.toEqual(triggers('host-gw'))
  expect(triggers('vxlan')?.join()).not.toContain('192.168.77')
  const { argv, environment } = mixed('vxlan', [1, 2]).control!.flanneld[0]!
  expect(mixed('vxlan', [1]).control?.flanneld[0]).toMatchObject({ argv, environment })
})

describe('a lease is, letter by letter, what flanneld writes', () => {
  const cases = ['vxlan', 'host-gw', 'udp'].flatMap((backend) => {
    const path = new URL(`flannel-dumps/${backend}/etcd.txt`, import.meta.url)
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    return lines.flatMap((line, at) =>
      line.includes('/subnets/') ? [{ backend, key: line, value: lines[at + 1]! }] : [],
    )
  })
  test('of nine hosts', () => expect(cases).toHaveLength(9))

  test.each(cases)('$backend $key', ({ backend, key, value }) => {
    const said = JSON.parse(value) as { PublicIP: Ip; BackendData?: { VtepMAC: Mac } }
    const host = hostOf(1, {
      address: said.PublicIP,
      subnet: key.split('/').at(-1)!.replace('-', '/') as Cidr,
      ...(said.BackendData && { vtepMac: said.BackendData.VtepMAC }),
    })
    const { lab } = inventoryOf({ backend: backends[backend as keyof typeof backends], hosts: [host] })
    expect(subnetKey(host.subnet)).toBe(key)
    expect(leaseValue(lab, nodeOf(host))).toBe(value)
  })
})

describe('a host under flanneld', () => {
  test.each(names)('%s: holds in the end what a static one holds', (backend) => {
    const { plan } = mixed(backend, [1])
    const alone = mixed(backend, []).plan.hosts['node1']!
    const host = plan.hosts['node1']!
    if (backend !== 'udp') return expect(host.state).toEqual(alone.state)
    // flanneld's own device instead of the BPF programs.
    expect(host.state).toMatchObject({
      addresses: { '10.244.1.0/32 dev flannel0': 'scope global' },
      routes: { '10.244.0.0/16': 'dev flannel0 scope global' },
    })
    expect(Object.keys(host.state)).not.toEqual(expect.arrayContaining(['filters', 'peers']))
  })

  test.each(names)('%s: gets from overlab the pods, and the VXLAN device with the planned MAC', (backend) => {
    const host = mixed(backend, [1, 2, 3]).plan.hosts['node1']!
    const pushed = pushedOf(host)
    const tables: (keyof HostState)[] = ['links', 'addresses', 'sysctls', 'pods']
    expect(Object.keys(pushed)).toEqual(tables)
    const device = 'flannel.1' as IfName
    expect(factsOf(host).lent).toEqual(backend === 'udp' ? ['flannel0'] : host.vtep ? [device] : [])
    expect(Object.keys(pushed.links!)).toEqual(host.vtep ? ['cni0', device] : ['cni0'])
    if (host.vtep) expect(pushed.links![device]).toContain(`address ${host.vtep.mac}`)
    for (const table of tables) expect(host.state[table]).toMatchObject(pushed[table]!)
  })
})

test("udp: a static host finishes checksums where a peer is flanneld's", () => {
  const { plan } = mixed('udp', [2])
  expect(plan.hosts['node1']!.state.offloads).toEqual({ eth0: 'tx off' })
  expect(plan.hosts['node2']!.state).not.toHaveProperty('offloads')
})
