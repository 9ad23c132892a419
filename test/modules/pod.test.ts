import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Cidr, IfName, Ip, Mac, Name } from '../../inventory/values.ts'
import type { Scope } from '../../modules/module.ts'
import { podModule, podRow, vethOf } from '../../modules/pod.ts'

interface Case {
  name: string
  current: Record<string, string>
  desired: Record<string, string>
  /** `phase: command` and its lines, in order; `VETH` and `LOOSE` stand for the names made from `p1`. */
  batches: [string, string[]][]
}
const cases = JSON.parse(readFileSync(new URL('pod/cases.json', import.meta.url), 'utf8')) as Case[]
const scope = (desired: Record<string, string>): Scope => ({
  desired,
  prior: {},
  host: { nic: 'eth0', iptables: 'auto' },
  links: [],
})

test.each(cases)('$name', ({ current, desired, batches }) => {
  const veth = vethOf('p1')
  const rendered = podModule.render(podModule.diff(current, desired), scope(desired))
  const named = (text: string): string =>
    text.replaceAll(veth, 'VETH').replaceAll(`pod${veth.slice(4)}`, 'LOOSE')
  expect(
    rendered.map(({ phase, command, lines }) => [
      `${phase}: ${command}`,
      lines.map(({ text }) => named(text)),
    ]),
  ).toEqual(batches)
})

test('a row is a line as it is read back', () => {
  const row = podRow({
    name: 'node1-pod1' as Name,
    address: '10.244.53.2' as Ip,
    subnet: '10.244.53.0/24' as Cidr,
    gateway: '10.244.53.1' as Ip,
    bridge: 'cni0' as IfName,
    mtu: 1450,
    mac: '0a:58:0a:f4:35:02' as Mac,
  })
  expect(row).toEqual({
    key: 'node1-pod1',
    line: '10.244.53.2/24 via 10.244.53.1 dev cni0 mtu 1450 address 0a:58:0a:f4:35:02',
  })
  expect(podModule.row.parse(row)).toBe(row.line)
  expect(
    podModule.row.parse({
      ...row,
      line: '10.244.53.2/24 address 0A:58:0A:F4:35:02 mtu 1450  dev cni0 via 10.244.53.1',
    }),
  ).toBe(row.line)
})

test.each([
  [
    { key: 'p1', line: '10.244.53.2 via 10.244.53.1 dev cni0 mtu 1450 address 0a:58:0a:f4:35:02' },
    'is not an address with its length',
  ],
  [{ key: 'p1', line: '10.244.53.2/24 via 10.244.53.1 dev cni0 mtu 1450' }, '"address" is missing'],
  [
    { key: 'p1', line: '10.244.53.2/24 via x dev cni0 mtu 1450 address 0a:58:0a:f4:35:02' },
    'via "x" is not an IPv4 address',
  ],
  [
    { key: '../x', line: '10.244.53.2/24 via 10.244.53.1 dev cni0 mtu 1450 address 0a:58:0a:f4:35:02' },
    'is not a pod name',
  ],
  [
    {
      key: 'p1',
      line: "10.244.53.2/24 via 10.244.53.1 dev cni0 mtu 1450 address 0a:58:0a:f4:35:02 ' ; reboot",
    },
    'which no value has',
  ],
])('refuses %j', (row, message) => {
  const { success, error } = podModule.row.safeParse(row)
  expect(success).toBe(false)
  expect(error!.issues.map((issue) => issue.message).join()).toContain(message)
})

test('names of links are different for different pods, and short enough', () => {
  const names = Array.from({ length: 500 }, (_, at) => vethOf(`node${at % 50}-pod${Math.floor(at / 50)}`))
  expect(new Set(names).size).toBe(500)
  for (const name of names) expect(name).toMatch(/^veth[0-9a-f]{8}$/)
})

test('a probe never holds a name that is none', () => {
  expect(podModule.probe({ ...scope({ ok: '' }), prior: { '$(reboot)': '' } })).not.toContain('reboot')
})
