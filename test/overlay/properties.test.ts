/** What holds for every lab, not only for those in plans/. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../inventory/inventory.ts'
import type { Ip } from '../../inventory/values.ts'
import { moduleOf } from '../../modules/all.ts'
import { diffState } from '../../modules/diff-state.ts'
import type { Change } from '../../modules/module.ts'
import { tableNames } from '../../modules/state.ts'
import { planLab, type PlannedHost } from '../../overlay/plan.ts'
import { firstOf, holds } from '../../overlay/subnet.ts'
import { backends, hostOf, hostsOf, inventoryOf } from '../support/inventory.ts'

const backendName = fc.constantFrom(...(Object.keys(backends) as (keyof typeof backends)[]))
const someHosts = fc
  .uniqueArray(fc.integer({ min: 1, max: 250 }), { minLength: 2, maxLength: 12 })
  .map((numbers) => numbers.map((number) => hostOf(number)))

describe('a host that joins', () => {
  test('adds rows that name it and touches no other', () => {
    fc.assert(
      fc.property(backendName, someHosts, (name, [joining, ...present]) => {
        const before = planned(name, present)
        const after = planned(name, [joining!, ...present])
        const marks = new Set(namesOf(after[joining!.name]!))
        for (const { name: host } of present) {
          const changes = diffState(before[host]!.state, after[host]!.state)
          expect(changes.length).toBeGreaterThan(0)
          expect(changes.filter((change) => change.op !== 'add')).toEqual([])
          expect(changes.filter((change) => !wordsOf(change).some((word) => marks.has(word)))).toEqual([])
          expect({ ...after[host], state: null }).toEqual({ ...before[host], state: null })
        }
      }),
    )
  })

  test('gets the same rows wherever it stands in the file', () => {
    const shuffled = someHosts.chain((hosts) =>
      fc.tuple(fc.constant(hosts), fc.shuffledSubarray(hosts, { minLength: hosts.length })),
    )
    fc.assert(
      fc.property(backendName, shuffled, (name, [hosts, others]) => {
        expect(planned(name, others)).toEqual(planned(name, hosts))
      }),
    )
  })
})

test.each([
  ['vxlan', 3],
  ['vxlan-directrouting', 1],
  ['host-gw', 1],
  ['udp', 1],
] as const)('%s: %i rows a host for every peer, and a fixed number besides', (name, perPeer) => {
  const rowsOfFirst = (count: number): number =>
    Object.values(planned(name, hostsOf(count))['node1']!.state).reduce(
      (sum, rows) => sum + Object.keys(rows).length,
      0,
    )
  const alone = rowsOfFirst(1)
  for (const count of [2, 10, 60]) expect(rowsOfFirst(count)).toBe(alone + perPeer * (count - 1))
})

test('udp: one route however many hosts', () => {
  const counts = Object.values(planned('udp', hostsOf(250))).map(
    ({ state }) => Object.keys(state.routes!).length,
  )
  expect(new Set(counts)).toEqual(new Set([1]))
})

test('every next hop can be reached: on the link, or onlink behind the device', () => {
  fc.assert(
    fc.property(backendName, someHosts, (name, hosts) => {
      const { lab } = inventoryOf({ hosts })
      for (const { state } of Object.values(planned(name, hosts))) {
        for (const line of Object.values(state.routes!)) {
          const via = /^via (\S+) dev (\S+)( onlink)?/.exec(line)
          if (via) expect(holds(lab.underlay, via[1] as Ip)).toBe(via[2] === 'eth0')
          if (via) expect(via[3] !== undefined).toBe(via[2] === 'flannel.1')
        }
      }
    }),
  )
})

test('every VXLAN route has its neighbour, and every neighbour its FDB entry', () => {
  fc.assert(
    fc.property(someHosts, (hosts) => {
      const plan = planned('vxlan', hosts)
      for (const { state, name } of Object.values(plan)) {
        for (const [subnet, line] of Object.entries(state.routes!)) {
          const via = /^via (\S+)/.exec(line)![1]
          const mac = state.neighbours![`${via} dev flannel.1`]!.replace('lladdr ', '')
          const peer = Object.values(plan).find((other) => other.subnet === subnet)!
          expect(state.fdb![`${mac} dev flannel.1`]).toBe(`dst ${peer.address}`)
          expect(peer.vtep).toEqual({ name: 'flannel.1', address: via, mac })
          expect(peer.name).not.toBe(name)
        }
      }
    }),
  )
})

test('every row is in the form that its module calls canonical', () => {
  for (const name of Object.keys(backends) as (keyof typeof backends)[]) {
    const { state } = planned(name, hostsOf(3))['node1']!
    const tables = tableNames.flatMap((table) => (state[table] ? [[table, state[table]] as const] : []))
    for (const [table, rows] of tables)
      for (const [key, line] of Object.entries(rows))
        expect(moduleOf(table).row.parse({ key, line })).toBe(line)
  }
})

describe('what an inventory must not say', () => {
  test('host-gw with a host beyond a router', () => {
    const hosts = [...hostsOf(2), hostOf(3, { address: '198.51.100.3' as Ip })]
    expect(() => planned('host-gw', hosts)).toThrow(
      'node3: host-gw needs every host on one link, but 198.51.100.3 lies outside of the underlay 192.168.77.0/24; ' +
        'give it an address inside, or use the backend vxlan',
    )
  })

  test('one VTEP MAC for two hosts', () => {
    const { mac } = planned('vxlan', hostsOf(1))['node1']!.vtep!
    expect(() => planned('vxlan', [hostOf(1), hostOf(2, { vtepMac: mac })])).toThrow(
      `node2: node1 has the VTEP MAC ${mac} too; give node2 another vtep_mac`,
    )
  })
})

function planned(name: keyof typeof backends, hosts: readonly Host[]): Readonly<Record<string, PlannedHost>> {
  return planLab(inventoryOf({ backend: backends[name], hosts })).hosts
}

function namesOf({ subnet, address, vtep }: PlannedHost): string[] {
  return [subnet, address, firstOf(subnet), ...(vtep ? [vtep.mac] : [])]
}

function wordsOf(change: Change): string[] {
  return `${change.key} ${'to' in change ? change.to : ''}`.split(' ')
}
