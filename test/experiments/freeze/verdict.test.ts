/** What the hosts' kernels and etcd say of a network that flanneld filled, and where they contradict each other. */
import { describe, expect, test } from 'vitest'
import { pinsOf } from '../../../experiments/freeze/freeze.ts'
import { ofContradiction, ofStrangers } from '../../../experiments/freeze/refusal.ts'
import { testimonies } from '../../../experiments/freeze/testimony.ts'
import { judge } from '../../../experiments/freeze/verdict.ts'
import type { Entry } from '../../../modules/json.ts'
import { backends } from '../../support/inventory.ts'
import { networkOfDump, withReading, type Network } from './network.ts'

const cases = (Object.keys(backends) as (keyof typeof backends)[]).map((name) => ({
  name,
  network: networkOfDump(name, backends[name]),
}))

function verdictOf({ plan, readings, leases }: Network, etcd = true) {
  const said = testimonies(plan, readings, etcd ? leases : undefined)
  const { hosts, contradictions } = judge(plan, said)
  return {
    hosts,
    pins: pinsOf(plan, hosts),
    refused: [...contradictions.map(ofContradiction), ...ofStrangers(said.strangers)].map(
      ({ what, entries }) => [what, ...entries],
    ),
  }
}

describe.each(cases)('$name', ({ name, network }) => {
  test.each([
    ['kernels and etcd', true],
    ['the kernels alone', false],
  ] as const)('%s say what flanneld chose', (_, etcd) => {
    const { hosts, pins, refused } = verdictOf(network, etcd)
    expect(refused).toEqual([])
    for (const [host, chosen] of Object.entries(network.chosen)) expect(hosts[host]).toMatchObject(chosen)
    // None of them is what overlab would have planned.
    expect(Object.keys(pins)).toEqual(Object.keys(network.chosen))
    for (const one of Object.values(pins))
      expect(Object.keys(one)).toEqual(name.startsWith('vxlan') ? ['subnet', 'vtep_mac'] : ['subnet'])
  })

  test('who says so is told', () => {
    const by = verdictOf(network).hosts['h1']!.by
    const peers = Object.keys(network.chosen).filter((host) => host !== 'h1')
    expect(by).toEqual(name === 'udp' ? ['h1', 'etcd'] : ['h1', 'etcd', ...peers])
  })
})

const vxlan = networkOfDump('vxlan', backends.vxlan)
const hostGw = networkOfDump('host-gw', backends['host-gw'])
const { subnet, vtepMac } = vxlan.chosen['h2']!
const first = subnet.replace('/24', '')

function changed(entries: readonly Entry[], match: Entry, change: Entry): Entry[] {
  const fits = (entry: Entry) => Object.entries(match).every(([key, value]) => entry[key] === value)
  expect(entries.filter(fits)).toHaveLength(1)
  return entries.map((entry) => (fits(entry) ? { ...entry, ...change } : entry))
}

describe('a contradiction is named entry by entry', () => {
  test('a neighbour with another MAC', () => {
    const odd = withReading(vxlan, 'h1', ({ neighbours }) => ({
      neighbours: changed(neighbours, { dst: first }, { lladdr: '02:00:00:00:00:09' }),
    }))
    const { refused } = verdictOf(odd)
    expect(refused).toHaveLength(1)
    expect(refused[0]).toEqual(
      expect.arrayContaining([
        'h2: two things are said of its VTEP MAC',
        `02:00:00:00:00:09: h1 (neighbour ${first} dev flannel.1 lladdr 02:00:00:00:00:09)`,
        `${vtepMac}: h2 (link flannel.1 address ${vtepMac})`,
        `${vtepMac}: etcd (/coreos.com/network/subnets/${subnet.replace('/', '-')})`,
      ]),
    )
  })

  test('an FDB entry that sends to another host', () => {
    const odd = withReading(vxlan, 'h1', ({ fdb }) => ({
      fdb: changed(fdb, { mac: vtepMac }, { dst: '192.168.77.3' }),
    }))
    const what = verdictOf(odd).refused.map(([one]) => one)
    expect(what).toEqual(['h3: two things are said of its subnet', 'h3: two things are said of its VTEP MAC'])
  })

  test("host-gw's route by way of another host", () => {
    const to = hostGw.chosen['h2']!.subnet
    const odd = withReading(hostGw, 'h1', ({ routes }) => ({
      routes: changed(routes, { dst: to }, { gateway: '192.168.77.3' }),
    }))
    expect(verdictOf(odd).refused).toEqual([
      expect.arrayContaining([
        'h3: two things are said of its subnet',
        `${to}: h1 (route ${to} via 192.168.77.3 dev eth0)`,
      ]),
    ])
  })

  test('a lease of another backend', () => {
    const leases = vxlan.leases.map((lease, at) => (at === 0 ? { ...lease, backend: 'host-gw' } : lease))
    expect(verdictOf({ ...vxlan, leases }).refused).toEqual([
      expect.arrayContaining(['h2: two things are said of its backend']),
    ])
  })
})

describe('what leads to no host of the inventory', () => {
  test('a lease, and what is no lease', () => {
    const value = { subnet: '10.244.9.0/24', address: '192.168.77.9', backend: 'vxlan' }
    const leases = [
      ...vxlan.leases,
      { key: '/coreos.com/network/subnets/10.244.9.0-24', ...value } as (typeof vxlan.leases)[number],
      { key: '/coreos.com/network/subnets/x', wrong: 'is no JSON' },
    ]
    expect(verdictOf({ ...vxlan, leases }).refused).toEqual([
      [
        'there are entries for hosts that are not in the inventory, and a frozen network would lose them',
        'etcd: /coreos.com/network/subnets/10.244.9.0-24: 192.168.77.9 is no host of the inventory',
        'etcd: /coreos.com/network/subnets/x: is no JSON',
      ],
    ])
  })

  test('routes and FDB entries', () => {
    const odd = withReading(vxlan, 'h1', ({ routes, fdb }) => ({
      routes: [
        ...routes,
        { dst: '10.244.9.0/24', gateway: '192.168.77.9', dev: 'eth0', protocol: 'boot' },
        { dst: '10.244.8.0/24', gateway: '10.244.8.0', dev: 'flannel.1', protocol: 'boot' },
        // Neither of the pod network nor by way of a host.
        { dst: '10.9.0.0/16', gateway: '192.168.77.9', dev: 'eth0', protocol: 'boot' },
      ],
      fdb: [
        ...fdb,
        { mac: '02:00:00:00:00:07', ifname: 'flannel.1', dst: '192.168.77.7', state: 'permanent' },
      ],
    }))
    expect(verdictOf(odd).refused[0]!.slice(1)).toEqual([
      'h1: route 10.244.9.0/24 via 192.168.77.9 dev eth0: 192.168.77.9 is no host of the inventory',
      'h1: route 10.244.8.0/24 via 10.244.8.0 dev flannel.1: no host has 10.244.8.0/24',
      'h1: FDB entry 02:00:00:00:00:07 dev flannel.1 dst 192.168.77.7: 192.168.77.7 is no host of the inventory',
    ])
  })
})

test('a missing entry contradicts nothing: the next up adds it', () => {
  const gap = withReading(vxlan, 'h1', () => ({ fdb: [], neighbours: [] }))
  expect(verdictOf(gap).refused).toEqual([])
  expect(verdictOf(gap, false).pins).toEqual(verdictOf(vxlan).pins)
})

test('of a host that says nothing of itself, the others know', () => {
  const silent = withReading(vxlan, 'h2', () => ({ links: [], subnetEnv: '', routes: [] }))
  expect(verdictOf(silent, false).hosts['h2']).toEqual({ subnet, vtepMac, by: ['h1', 'h3'] })
})

test('where nobody knows, it is what the inventory plans, and that is said', () => {
  const nobody = {
    ...hostGw,
    readings: hostGw.readings.map((one) => ({ ...one, subnetEnv: '', routes: [] })),
  }
  const { hosts, pins } = verdictOf(nobody, false)
  expect(hosts['h2']).toEqual({ subnet: '10.244.2.0/24', by: [] })
  expect(pins).toEqual({})
})
