/** What overlab plans is what flanneld v0.28.10 left in three hosts' kernels, object by object, both ways. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { addressModule } from '../../modules/address.ts'
import { fdbModule } from '../../modules/fdb.ts'
import { linkModule } from '../../modules/link.ts'
import type { Change, Module } from '../../modules/module.ts'
import { neighbourModule } from '../../modules/neighbour.ts'
import { routeModule } from '../../modules/route.ts'
import type { HostState, Table } from '../../modules/state.ts'
import { planLab, type PlannedHost } from '../../overlay/plan.ts'
import { backends } from '../support/inventory.ts'
import { byChain, inventoryOfDump, readDump, textOfDump, type Dump } from './dump.ts'

const cases = Object.entries(backends).flatMap(([name, backend]) => {
  const { hosts } = planLab(inventoryOfDump(name, backend))
  return Object.values(hosts).map((host) => ({ name, host }))
})

test('every dumped host is compared', () => {
  const folder = join(import.meta.dirname, 'flannel-dumps')
  const dumped = readdirSync(folder).flatMap((name) =>
    readdirSync(join(folder, name))
      .filter((entry) => !entry.includes('.'))
      .map((host) => `${name}/${host}`),
  )
  expect(cases.map(({ name, host }) => `${name}/${host.name}`).toSorted()).toEqual(dumped.toSorted())
})

describe.each(cases.filter(({ name }) => name !== 'udp'))('$name on $host.name', ({ name, host }) => {
  const dump = readDump(name, host.name)

  test.each(['links', 'addresses', 'neighbours', 'fdb', 'routes'] as const)('%s', (table) => {
    expect(compared(host.state)[table] ?? {}).toEqual(dump[table])
  })

  test.each([
    [linkModule, 'link.json'],
    [addressModule, 'addr.json'],
    [neighbourModule, 'neigh.json'],
    [fdbModule, 'fdb.json'],
    [routeModule, 'route.json'],
  ] as const)(
    'the module $0.table reads the dump as what is planned, and would change nothing',
    (module, file) => {
      expect(toDo(module, host, textOfDump(name, host.name, file))).toEqual([])
    },
  )

  test('nothing in any other table but what a dump has no file for', () => {
    const dumped = ['links', 'addresses', 'neighbours', 'fdb', 'routes', 'iptables']
    const { sysctls, ...state } = host.state
    expect(Object.keys(state).filter((table) => !dumped.includes(table))).toEqual(['pods'])
    expect(sysctls).toEqual({
      'net/ipv4/ip_forward': '1',
      ...(host.vtep ? { [`net/ipv6/conf/${host.vtep.name}/accept_ra`]: '0' } : {}),
    })
  })

  common(host, dump)
})

describe.each(cases.filter(({ name }) => name === 'udp'))('$name on $host.name', ({ name, host }) => {
  const dump = readDump(name, host.name)

  test("flanneld's TUN device, its address and its route are the only objects overlab does without", () => {
    const mine = compared(host.state)
    const { flannel0, ...links } = dump.links
    const { [`${host.subnet.replace(/\/.*/, '')}/32 dev flannel0`]: vtep, ...addresses } = dump.addresses
    expect([flannel0, vtep]).toEqual(['tun mtu 1472', 'scope global'])
    expect(mine.links).toEqual(links)
    expect(mine.addresses).toEqual(addresses)
    expect([mine.neighbours ?? {}, mine.fdb ?? {}]).toEqual([dump.neighbours, dump.fdb])
  })

  test('both have one route, to the whole network; it wraps the packet instead of handing it to a process', () => {
    expect(dump.routes).toEqual({ '10.244.0.0/16': 'dev flannel0' })
    expect(Object.keys(host.state.routes!)).toEqual(['10.244.0.0/16'])
    expect(host.state.routes!['10.244.0.0/16']).toMatch(/^encap bpf xmit \S+ dev eth0 .*src 10\.244\.\d+\.1$/)
  })

  test('the peers are those of the leases', () => {
    const leases = cases.filter((other) => other.name === 'udp' && other.host !== host)
    expect(host.state.peers).toEqual(
      Object.fromEntries(leases.map(({ host: { subnet, address } }) => [subnet, address])),
    )
    expect(Object.keys(host.state.filters!)).toEqual(['eth0 ingress'])
  })

  common(host, dump)
})

function common(host: PlannedHost, dump: Dump): void {
  test('iptables, line by line', () => {
    expect(saved(host.state.iptables!)).toEqual(dump.rules)
  })

  test('subnet.env, byte by byte', () => {
    expect(host.subnetEnv).toBe(dump.subnetEnv)
  })

  test("the pod's MTU", () => {
    expect(host.mtu).toBe(dump.podMtu)
    expect(Object.values(host.state.pods!)[0]).toContain(` mtu ${dump.podMtu} `)
  })
}

/** What overlab would do on a host where flanneld ran, cni0's MAC aside. */
function toDo(module: Module, host: PlannedHost, output: string): Change[] {
  const desired = host.state[module.table] ?? {}
  const facts = { nic: host.nic, iptables: host.iptables }
  const current = module.parse(output, {
    desired,
    prior: {},
    host: facts,
    links: Object.keys(host.state.links!),
  })
  return module.diff(current, desired).filter(({ key }) => !(module === linkModule && key === 'cni0'))
}

/** Without cni0's MAC: a bridge takes its first port's unless told, and overlab tells it. */
function compared(state: HostState): HostState {
  const { cni0, ...links } = state.links!
  return { ...state, links: { ...links, cni0: cni0!.replace(/ address \S+$/, '') } }
}

/** Rows of the table `iptables` as iptables-save prints them. */
function saved(rows: Table): Record<string, string[]> {
  return byChain(
    Object.entries(rows).map(([key, line]) => {
      const [, table = '', chain = '', rest = ''] = /^(\S+) (\S+) (.*)$/.exec(key) ?? []
      const comment = /^\d+$/.test(rest) ? '' : `-m comment --comment "${rest}" `
      return [table, `-A ${chain} ${comment}${line}`]
    }),
  )
}
