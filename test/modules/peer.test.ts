import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configUpdate, readConfig, readCounters, readPeers } from '../../modules/bpf/maps.ts'
import type { Cidr, Ip } from '../../inventory/values.ts'
import { peerModule, peerRow } from '../../modules/peer.ts'
import type { Scope } from '../../modules/module.ts'
import type { Table } from '../../modules/state.ts'

const scope: Scope = { desired: {}, prior: {}, host: { nic: 'eth0', iptables: 'auto' }, links: [] }

// 10.244.2.0/24 -> 192.168.88.2 as bpftool 7.1 prints it.
const dump =
  '[{"key":["0x18","0x00","0x00","0x00","0x0a","0xf4","0x02","0x00"],"value":["0xc0","0xa8","0x58","0x02"],"formatted":{"key":{"len":24,"addr":193546},"value":39364800}}]'

test('reads what bpftool prints', () => {
  expect(peerModule.parse(dump, scope)).toEqual({ '10.244.2.0/24': '192.168.88.2' })
  expect(peerModule.parse('', scope)).toEqual({})
  expect(() => peerModule.parse('{"error":"bpf obj get: No such file"}', scope)).toThrow(
    '`bpftool map dump` printed something else than expected',
  )
})

test('additions before the routes move, changes with them, deletions after', () => {
  const current = { '10.244.2.0/24': '192.168.88.2', '10.244.3.0/24': '192.168.88.3' }
  const desired = { '10.244.3.0/24': '192.168.88.4', '10.244.128.0/17': '192.168.88.5' }
  const batches = peerModule.render(peerModule.diff(current, desired), { ...scope, desired })
  const map = '/run/overlab-bpf/overlab_peers'
  expect(batches.map(({ phase, lines }) => [phase, ...lines.map(({ text }) => text)])).toEqual([
    ['prepare', `map update pinned ${map} key hex 11 00 00 00 0a f4 80 00 value hex c0 a8 58 05`],
    ['switch', `map update pinned ${map} key hex 18 00 00 00 0a f4 03 00 value hex c0 a8 58 04`],
    ['sweep', `map delete pinned ${map} key hex 18 00 00 00 0a f4 02 00`],
  ])
})

test('one process a phase, however many peers', () => {
  const desired = Object.fromEntries(
    Array.from({ length: 250 }, (_, at) => [`10.244.${at}.0/24`, '192.168.88.1']),
  )
  expect(peerModule.render(peerModule.diff({}, desired), { ...scope, desired })).toHaveLength(1)
})

/** A model of the map: what the lines of a batch make of it. */
function bpftool(entries: Map<string, string>, lines: readonly string[]): void {
  for (const line of lines) {
    const [, act, key, value] = line.match(
      /^map (update|delete) pinned \S+ key hex (.*?)(?: value hex (.*))?$/,
    )!
    if (act === 'update') entries.set(key!, value!)
    else if (!entries.delete(key!)) throw new Error(`no such entry: ${line}`)
  }
}

test('any table becomes any other', () => {
  const byte = fc.nat(255)
  const subnet = fc
    .tuple(byte, fc.integer({ min: 16, max: 24 }))
    .map(
      ([third, length]) =>
        `10.244.${length === 24 ? third : length > 16 ? third & (256 - 2 ** (24 - length)) : 0}.0/${length}`,
    )
  const table = fc.dictionary(
    subnet,
    byte.map((last) => `192.168.88.${last}`),
    { maxKeys: 6 },
  )
  fc.assert(
    fc.property(table, table, (before, after) => {
      const map = new Map<string, string>()
      const read = (): Table =>
        peerModule.parse(
          JSON.stringify(
            [...map].map(([key, value]) => ({
              key: key.split(' ').map((one) => `0x${one}`),
              value: value.split(' ').map((one) => `0x${one}`),
            })),
          ),
          scope,
        )
      for (const wanted of [before, after]) {
        for (const { lines } of peerModule.render(peerModule.diff(read(), wanted), {
          ...scope,
          desired: wanted,
        }))
          bpftool(
            map,
            lines.map(({ text }) => text),
          )
        expect(read()).toEqual({ ...wanted })
      }
    }),
  )
})

test('a row is checked', () => {
  const row = peerRow({ subnet: '10.244.23.0/24' as Cidr, address: '192.168.77.2' as Ip })
  expect(peerModule.row.parse(row)).toBe('192.168.77.2')
  expect(peerModule.row.safeParse({ ...row, key: '10.244.23.1/24' }).error!.issues[0]!.message).toContain(
    'has host bits set',
  )
  expect(peerModule.row.safeParse({ ...row, line: 'x' }).success).toBe(false)
})

test('settings are read back as they were written', () => {
  const config = { port: 8285, local: '192.168.77.1' as Ip, subnet: '10.244.64.0/18' as Cidr }
  const value = configUpdate(config)
    .replace(/.* value hex /, '')
    .split(' ')
    .map((byte) => `0x${byte}`)
  expect(readConfig(JSON.stringify([{ key: ['0x00'], value }]))).toEqual(config)
  expect(readConfig(JSON.stringify([{ key: ['0x00'], value: new Array(16).fill('0x00') }]))).toBeUndefined()
})

test('counters are summed over the CPUs', () => {
  const value = (low: string, high: string): { value: string[] } => ({
    value: [low, high, ...new Array<string>(6).fill('0x00')],
  })
  const entry = {
    key: ['0x01', '0x00', '0x00', '0x00'],
    values: [value('0x02', '0x01'), value('0x03', '0x00')],
  }
  expect(readCounters(JSON.stringify([entry]))).toMatchObject({ decapsulated: 261, encapsulated: 0 })
})

test('readPeers sorts by subnet', () => {
  const entry = (third: string): object => ({
    key: ['0x18', '0x00', '0x00', '0x00', '0x0a', '0xf4', third, '0x00'],
    value: ['0x01', '0x02', '0x03', '0x04'],
  })
  expect(readPeers(JSON.stringify([entry('0x14'), entry('0x03')])).map(([subnet]) => subnet)).toEqual([
    '10.244.3.0/24',
    '10.244.20.0/24',
  ])
})
