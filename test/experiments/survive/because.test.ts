/** The reason for what a fault did, from what was read. */
import { describe, expect, test } from 'vitest'
import { because, type Evidence } from '../../../experiments/survive/because.ts'
import {
  missing,
  union,
  type Held,
  type HeldByHost,
  type Missing,
} from '../../../experiments/survive/held.ts'

const hosts = ['node1', 'node2', 'node3']
const alive: Held = { state: {}, units: ['flanneld'] }
const noDaemon: Held = { state: {}, units: [] }
const all = (held: Held): HeldByHost => Object.fromEntries(hosts.map((host) => [host, held]))
const gone = (host: string, table: Missing['table'], ...keys: string[]): Missing => ({ host, table, keys })
const routes = gone('node3', 'routes', '10.244.1.0/24', '10.244.2.0/24')
const rules = gone('node3', 'iptables', 'nat FLANNEL-POSTRTG 1', 'filter FLANNEL-FWD 1')

describe('because', () => {
  const cases: readonly (readonly [string, Partial<Evidence>])[] = [
    ['flanneld was gone on node3; every entry stayed in the kernel', { gone: [gone('node3', 'flanneld', 'flanneld')] }],
    ['flanneld was gone on every host; etcd was gone on node1; every entry stayed in the kernel',
      { gone: [...hosts.map((host) => gone(host, 'flanneld', 'flanneld')), gone('node1', 'etcd', 'etcd')] }],
    ['flanneld was gone on node3; 1 link and 2 routes were gone on node3; pulumi up put them back',
      { gone: [gone('node3', 'flanneld', 'flanneld'), gone('node3', 'links', 'flannel0'), routes], still: [gone('node3', 'links', 'flannel0'), routes], heals: 'by pulumi up' }],
    ['2 routes were gone on node3; flanneld put them back', { gone: [routes], last: all(alive), heals: 'by itself' }],
    ['2 routes were gone on node3; the kernel put them back', { gone: [routes], heals: 'by itself' }],
    ['2 iptables rules were gone on node3; packets between pods did not need them', { gone: [rules], still: [rules] }],
    ['2 iptables rules were gone on node3; flanneld put them back, and packets between pods did not need them meanwhile',
      { gone: [rules], last: all(alive) }],
    ['2 routes and 2 iptables rules were gone on node3; flanneld put back 2 iptables rules; of the rest: pulumi up put them back',
      { gone: [routes, rules], still: [routes], last: all(alive), heals: 'by pulumi up' }],
    ['2 routes were gone on node3; not even pulumi up made the pods reach each other', { gone: [routes], still: [routes], heals: 'never' }],
    ['1 route was gone on node1 and node2; packets found their way without them',
      { gone: [gone('node1', 'routes', 'a'), gone('node2', 'routes', 'a')], still: [gone('node1', 'routes', 'a'), gone('node2', 'routes', 'a')], heals: 'by itself' }],
    ['all that was in the kernel was gone on node3; 1 FDB entry was gone on node1; pulumi up put them back',
      { gone: [gone('node3', 'pods', 'node3-pod1'), routes, gone('node1', 'fdb', 'x')], still: [gone('node3', 'pods', 'node3-pod1'), routes, gone('node1', 'fdb', 'x')], heals: 'by pulumi up' }],
    ['nothing that the plan names was gone when the kernels were read after it', {}],
    ['3 neighbours were asked for again', { told: '3 neighbours were asked for again' }],
  ] // prettier-ignore
  test.each(cases)('%s', (wanted, evidence) => {
    expect(because({ hosts, gone: [], still: [], last: all(noDaemon), heals: 'unharmed', ...evidence })).toBe(
      wanted,
    )
  })
})

describe('what is missing', () => {
  const before: HeldByHost = {
    node1: {
      state: { routes: { a: 'via 1', b: 'via 2' }, fdb: { m: 'dst 3' } },
      units: ['flanneld', 'etcd'],
    },
  }
  const now = (state: Held['state'], units: Held['units']): HeldByHost => ({ node1: { state, units } })

  test('nothing, where all is as it was; more is no loss', () => {
    expect(missing(before, before)).toEqual([])
    expect(missing(now({}, []), before)).toEqual([])
  })
  test('rows that are gone or changed, and daemons', () => {
    expect(missing(before, now({ routes: { a: 'via 9' }, fdb: { m: 'dst 3' } }, ['etcd']))).toEqual([
      gone('node1', 'flanneld', 'flanneld'),
      gone('node1', 'routes', 'a', 'b'),
    ])
  })
  test('of a host that was not read nothing is said', () => {
    expect(missing(before, {})).toEqual([])
  })
  test('two readings together name each key once', () => {
    expect(
      union([gone('node1', 'routes', 'a')], [gone('node1', 'routes', 'a', 'b'), gone('node1', 'fdb', 'm')]),
    ).toEqual([gone('node1', 'routes', 'a', 'b'), gone('node1', 'fdb', 'm')])
  })
})
