/** What real hosts answered, and who is said to be behind each entry. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  commands,
  isWhole,
  kinds,
  parseHoldings,
  type Kind,
  type WholeKind,
} from '../../experiments/kinds.ts'
import { planLab } from '../../overlay/plan.ts'
import type { Cidr, Ip, Name } from '../../inventory/values.ts'
import { hostOf, inventoryOf } from '../support/inventory.ts'

const whole = Object.keys(commands) as WholeKind[]

/** node1 of the lab whose kernel answered in holdings/. */
const planned = planLab(
  inventoryOf({
    overlay: {
      Network: '10.192.0.0/16' as Cidr,
      SubnetMin: '10.192.1.0' as Ip,
      SubnetMax: '10.192.255.0' as Ip,
    },
    hosts: [1, 2].map((number) =>
      hostOf(number, { address: `10.191.77.${number}` as Ip, subnet: `10.192.${number}.0/24` as Cidr }),
    ),
  }),
).hosts['node1' as Name]!

describe('a vxlan host with entries of overlab, of the kernel, and of somebody else', () => {
  test.each(whole)('%s', async (kind) => {
    const output = readFileSync(join(import.meta.dirname, 'holdings', `${kind}.txt`), 'utf8')
    const lines = parseHoldings(kind, output, planned.state).map(({ by, entry }) => `${by}: ${entry}\n`)
    await expect(lines.join('')).toMatchFileSnapshot(`holdings/${kind}.golden`)
  })
})

describe('what flanneld left is not said to be overlab’s', () => {
  const dumps = join(import.meta.dirname, '..', 'overlay', 'flannel-dumps')
  const cases = ['vxlan', 'host-gw', 'udp'].flatMap((backend) =>
    (
      [
        ['routes', 'route.json'],
        ['neighbours', 'neigh.json'],
        ['links', 'link.json'],
        ['iptables', 'iptables-save.txt'],
      ] as const
    ).map(([kind, file]) => ({ kind, file: join(dumps, backend, 'h1', file) })),
  )
  test.each(cases)('$file', ({ kind, file }) => {
    expect(existsSync(file)).toBe(true)
    const holdings = parseHoldings(kind, readFileSync(file, 'utf8'), {})
    expect(holdings.filter(({ by }) => by === 'overlab')).toEqual([])
    if (kind === 'iptables') expect(holdings.some(({ by }) => by === 'flanneld or a person')).toBe(true)
  })
})

test.each(whole)('a host without any %s', (kind) => {
  expect(parseHoldings(kind, kind === 'fdb' ? '\n\n[]' : '', {})).toEqual([])
})

test('an FDB entry that a packet taught is the kernel’s', () => {
  const entry = (state: string) =>
    `[{"mac":"02:00:00:00:00:01","ifname":"flannel.1","dst":"192.168.77.2","flags":["self"],"state":"${state}"}]\n\n[{"ifname":"flannel.1","ifalias":"overlab"}]`
  expect(parseHoldings('fdb', entry(''), {})[0]?.by).toBe('kernel')
  expect(parseHoldings('fdb', entry('permanent'), {})[0]?.by).toBe('overlab')
})

test('what carries no mark is of who fills the host', () => {
  const fdb =
    '[{"mac":"02:00:00:00:00:01","ifname":"flannel.1","dst":"192.168.77.2","flags":["self"],"state":"permanent"}]\n\n[{"ifname":"flannel.1","ifalias":"overlab"}]'
  expect(parseHoldings('fdb', fdb, {}, ['flannel.1'])[0]?.by).toBe('flanneld or a person')
  const rule = '*nat\n-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG\n'
  const own = { iptables: { 'nat POSTROUTING flanneld masq': '-j FLANNEL-POSTRTG' } }
  expect(parseHoldings('iptables', rule, own)[0]?.by).toBe('overlab')
  expect(parseHoldings('iptables', rule, {})[0]?.by).toBe('flanneld or a person')
})

test('a kind is either listed whole or read by its module', () => {
  for (const kind of Object.keys(kinds) as Kind[]) expect(isWhole(kind)).toBe(kind in commands)
})
