import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Cidr, IfName, Ip } from '../../inventory/values.ts'
import { objectDigest, objectLines, sourceDigest } from '../../modules/bpf/object.ts'
import { filterModule, udpFilterRow } from '../../modules/filter.ts'
import { tableOf, type Scope } from '../../modules/module.ts'

const row = udpFilterRow({
  nic: 'eth0' as IfName,
  port: 8285,
  local: '192.168.77.1' as Ip,
  subnet: '10.244.53.0/24' as Cidr,
})
const desired = tableOf([row])
const scope: Scope = { desired, prior: {}, host: { nic: 'eth0', iptables: 'auto' }, links: [] }

test('the committed object is that of the source; run modules/bpf/generate.sh if this fails', () => {
  const source = readFileSync(new URL('../../modules/bpf/udp.bpf.c', import.meta.url))
  expect(sourceDigest).toBe(createHash('sha256').update(source).digest('hex'))
  const object = gunzipSync(Buffer.from(objectLines.join(''), 'base64'))
  expect(createHash('sha256').update(object).digest('hex').slice(0, 12)).toBe(objectDigest)
  expect(object.subarray(0, 4).toString('latin1')).toBe('\x7fELF')
})

test('the line names version and settings', () => {
  expect(row).toEqual({
    key: 'eth0 ingress',
    line: `bpf overlab-udp.o:[tc] sha256 ${objectDigest} port 8285 local 192.168.77.1 subnet 10.244.53.0/24 pref 7979`,
  })
  expect(filterModule.row.parse(row)).toBe(row.line)
  expect(filterModule.row.parse({ ...row, line: 'port 8285 subnet 10.244.53.0/24 local 192.168.77.1' })).toBe(
    row.line,
  )
})

test.each([
  [{ ...row, key: 'eth0' }, 'is not of the form "eth0 ingress"'],
  [
    { ...row, line: 'port 0 local 192.168.77.1 subnet 10.244.53.0/24' },
    'is not a whole number from 1 to 65535',
  ],
  [{ ...row, line: 'port 8285 local 192.168.77.1' }, '"subnet" is missing'],
  [{ ...row, line: row.line.replace(objectDigest, '000000000000') }, `is not ${objectDigest}`],
])('refuses %j', (bad, message) => {
  const { success, error } = filterModule.row.safeParse(bad)
  expect(success).toBe(false)
  expect(error!.issues.map((issue) => issue.message).join()).toContain(message)
})

// As iproute2 6.1 and bpftool 7.1 print them.
const filter = (name: string): string =>
  `[{"protocol":"all","kind":"bpf","chain":0},{"protocol":"all","kind":"bpf","chain":0,"options":{"handle":"0x1","bpf_name":"${name}","direct-action":true,"not_in_hw":true,"prog":{"id":118,"name":"overlab_decap","tag":"2c31a157f2af04f4","jited":1}}}]`
const config =
  'config [{"key":["0x00","0x00","0x00","0x00"],"value":["0xc0","0xa8","0x4d","0x01","0x0a","0xf4","0x35","0x00","0xff","0xff","0xff","0x00","0x20","0x5d","0x00","0x00"]}]'
const pins = (digest: string): string =>
  `pin overlab-udp-${digest}\npin overlab-udp-${digest}-decap\npin overlab_config\npin overlab_peers\npin overlab_stats`

test.each([
  [
    'as wanted',
    [`filters eth0 ${filter(`overlab-udp-${objectDigest}-decap:[*fsobj]`)}`, pins(objectDigest), config],
    desired,
  ],
  [
    'another version',
    [`filters eth0 ${filter('overlab-udp-0123456789ab-decap:[*fsobj]')}`, pins('0123456789ab'), config],
    { 'eth0 ingress': row.line.replace(objectDigest, '0123456789ab') },
  ],
  [
    'without its pins',
    [`filters eth0 ${filter(`overlab-udp-${objectDigest}-decap:[*fsobj]`)}`],
    { 'eth0 ingress': `bpf overlab-udp.o:[tc] sha256 ${objectDigest} unpinned pref 7979` },
  ],
  [
    'without the pin of its peers, so that they could not be changed',
    [
      `filters eth0 ${filter(`overlab-udp-${objectDigest}-decap:[*fsobj]`)}`,
      pins(objectDigest).replace('pin overlab_peers\n', ''),
      config,
    ],
    { 'eth0 ingress': `bpf overlab-udp.o:[tc] sha256 ${objectDigest} unpinned pref 7979` },
  ],
  ['a hook without a filter of ours', ['filters eth0 ', 'filters eth1 []', pins(objectDigest), config], {}],
  ['nothing', [''], {}],
] as const)('reads a host: %s', (_, output, expected) => {
  expect(filterModule.parse(output.join('\n'), scope)).toEqual(expected)
})

test('programs, settings and filter are there before any route moves; all goes after', () => {
  const added = filterModule.render(filterModule.diff({}, desired), scope)
  expect(added.map(({ phase }) => phase)).toEqual(['prepare'])
  expect(added[0]!.lines.at(-1)!.text).toBe(
    `tc filter replace dev eth0 ingress protocol all pref 7979 handle 1 bpf direct-action pinned /run/overlab-bpf/overlab-udp-${objectDigest}-decap`,
  )
  const gone = filterModule.render(filterModule.diff(desired, {}), { ...scope, desired: {} })
  expect(gone.map(({ phase }) => phase)).toEqual(['sweep'])
  expect(gone[0]!.lines.at(-1)!.text).toContain('umount /run/overlab-bpf')
})

test('what is sent does not depend on the number of hosts, and is small', () => {
  const bytes = filterModule
    .render(filterModule.diff({}, desired), scope)[0]!
    .lines.reduce((sum, { text }) => sum + text.length, 0)
  expect(bytes).toBeLessThan(12_000)
})
