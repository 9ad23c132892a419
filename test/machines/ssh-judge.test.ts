import { expect, test } from 'vitest'
import { parseFacts } from '../../machines/ssh/facts.ts'
import { judge, type Wanted } from '../../machines/ssh/judge.ts'
import type { Cidr, IfName, Ip } from '../../inventory/values.ts'

const now = 1_800_000_000
const wanted: Wanted = {
  address: '192.168.1.11' as Ip,
  underlay: '192.168.1.0/24' as Cidr,
  network: '10.244.0.0/16' as Cidr,
  mtu: 1500,
  links: ['cni0', 'flannel.1'],
  bridge: 'cni0' as IfName,
  port: 8472,
  owner: 'lab rack, stack rack of /home/me/overlab',
  persist: true,
  settled: false,
  marks: { alias: 'overlab', protocol: 79 },
}
const link = (ifname: string, address: string, more: object = {}) => ({
  ifname,
  mtu: 1500,
  addr_info: [{ family: 'inet', local: address, prefixlen: 24 }],
  ...more,
})
/** What `firewallLines` prints of a flannel. */
const flannelOf = (network: string, tool = 'iptables') => ({
  variant: ['iptables', tool].filter((one, at, all) => all.indexOf(one) === at),
  rules: [
    `${tool} nat :FLANNEL-POSTRTG - [0:0]`,
    `${tool} nat -A FLANNEL-POSTRTG -s ${network} ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE`,
  ],
})
const eth0 = link('eth0', '10.0.2.15')
const eth1 = link('eth1', '192.168.1.11')

/** What a fit Debian server answers; `change` has other lines, by their keys. */
function answer(change: Readonly<Record<string, string | readonly string[]>> = {}): string {
  const lines = {
    kernel: 'Linux 6.1.0-18-amd64',
    uid: '0',
    clock: String(now),
    os: 'debian ',
    from: '192.168.1.5',
    owner: '',
    systemd: 'yes',
    free: '80000',
    links: JSON.stringify([link('lo', '127.0.0.1'), eth0, eth1]),
    routes:
      '[{"dst":"default","gateway":"10.0.2.2","dev":"eth0"},{"dst":"192.168.1.0/24","dev":"eth1","protocol":"kernel"}]',
    way: '[{"dst":"192.168.1.5","dev":"eth1","prefsrc":"192.168.1.11"}]',
    ...change,
    end: 'ok',
  }
  return Object.entries(lines)
    .flatMap(([key, value]) => [value].flat().map((one) => `${key} ${one}`))
    .join('\n')
}

const lacksOf = (change: Parameters<typeof answer>[0], other: Partial<Wanted> = {}) =>
  judge(parseFacts(answer(change)), { ...wanted, ...other }, now).lacks

test('a fit server: the NIC is the one with the address, not the one behind NAT', () => {
  expect(judge(parseFacts(answer()), wanted, now)).toEqual({
    nic: 'eth1',
    onLink: ['192.168.1.0/24'],
    packages: [],
    lacks: [],
    warnings: [],
    notes: [],
  })
})

test('packages by tools, each once; on Debian no lack', () => {
  const verdict = judge(parseFacts(answer({ missing: ['iptables', 'iptables-save', 'bridge'] })), wanted, now)
  expect(verdict).toMatchObject({ packages: ['iptables', 'iproute2'], lacks: [] })
})

test.each<[string, Parameters<typeof answer>[0], Partial<Wanted>, readonly (string | RegExp)[]]>([
  ['another system', { kernel: 'FreeBSD 14.1' }, {}, [/^it runs FreeBSD 14.1; an overlay needs Linux$/]],
  [
    'an old kernel',
    { kernel: 'Linux 4.19.0-5' },
    {},
    [/^its kernel is Linux 4.19.0-5; update it to 5.4 or newer$/],
  ],
  [
    'no such link',
    { lacks: 'vxlan Error: Unknown device type.' },
    {},
    [/^its kernel makes no vxlan link \(Error: Unknown device type.\)/],
  ],
  [
    'no rights; nothing is said of what only root can see',
    { uid: '1000', lacks: 'vxlan unshare failed', ...flannelOf('10.42.0.0/16') },
    {},
    [/^the user is not root/],
  ],
  ['a full /run', { free: '12' }, {}, [/^\/run has 12 KiB left/]],
  [
    'no Debian',
    { os: 'alpine', missing: 'iptables' },
    {},
    [/^iptables is missing, and overlab installs packages on Debian and Ubuntu only \(this is alpine\)/],
  ],
  ["another lab's", { owner: 'lab other, stack x of /y' }, {}, [/^it belongs to lab other, stack x of \/y/]],
  [
    "a cluster's bridge",
    { links: JSON.stringify([eth1, link('cni0', '10.1.0.1')]) },
    {},
    [/^it has a link cni0 that overlab did not make .*`ip link delete cni0`$/],
  ],
  [
    'our own bridge',
    { links: JSON.stringify([eth1, link('cni0', '10.1.0.1', { ifalias: 'overlab' })]) },
    {},
    [],
  ],
  [
    "a flannel's chains",
    flannelOf('10.42.0.0/16'),
    {},
    [/^its iptables has chains FLANNEL-\* that overlab did not make \(of the network 10.42.0.0\/16\)/],
  ],
  [
    "a flannel's chains in the variant of iptables that is not the default",
    flannelOf('10.42.0.0/16', 'iptables-legacy'),
    {},
    [/^its iptables has chains FLANNEL-\* .*`iptables-legacy-save \| grep FLANNEL`/],
  ],
  [
    'chains of nobody knows whom, empty',
    { variant: 'iptables', rules: 'iptables filter :FLANNEL-FWD - [0:0]' },
    {},
    [/^its iptables has chains FLANNEL-\* that overlab did not make; stop/],
  ],
  ['chains that a reboot has put back', flannelOf('10.244.0.0/16'), { settled: true }, []],
  [
    'chains of another flannel after a reboot',
    flannelOf('10.42.0.0/16'),
    { settled: true },
    [/^its iptables has chains FLANNEL-\*/],
  ],
  [
    'a route in the pod network',
    { routes: '[{"dst":"10.244.7.0/24","gateway":"10.8.0.1","dev":"tun0"}]' },
    {},
    [
      /^it has a route 10.244.7.0\/24 via 10.8.0.1 dev tun0, which lies in the pod Network 10.244.0.0\/16; .*`ip route del 10.244.7.0\/24 via 10.8.0.1 dev tun0`$/,
    ],
  ],
  [
    'the Network itself thrown away',
    { routes: '[{"type":"blackhole","dst":"10.244.0.0/16"}]' },
    {},
    [/^it has a route blackhole 10.244.0.0\/16, which lies in the pod Network/],
  ],
  [
    'a route to one address of the pod network',
    { routes: '[{"dst":"10.244.7.9","gateway":"10.8.0.1","dev":"tun0"}]' },
    {},
    [/^it has a route 10.244.7.9 via/],
  ],
  [
    'a link that is connected to the pod network; its own route is not told too',
    {
      links: JSON.stringify([eth1, link('docker9', '10.244.3.1')]),
      routes: '[{"dst":"10.244.3.0/24","dev":"docker9","protocol":"kernel","prefsrc":"10.244.3.1"}]',
    },
    {},
    [
      /^its docker9 has the address 10.244.3.1\/24, which lies in the pod Network .*`ip address del 10.244.3.1\/24 dev docker9`$/,
    ],
  ],
  ['routes of ours', { routes: '[{"dst":"10.244.7.0/24","dev":"flannel.1","protocol":"79"}]' }, {}, []],
  [
    'the address behind NAT',
    {},
    { address: '203.0.113.9' as Ip },
    [
      /^no link has the address 203.0.113.9; in the underlay 192.168.1.0\/24 is eth1 192.168.1.11\/24: give that as its address$/,
    ],
  ],
  [
    'only a NAT NIC',
    { links: JSON.stringify([eth0]) },
    {},
    [/none is in the underlay 192.168.1.0\/24: it has eth0 10.0.2.15\/24. Behind NAT/],
  ],
  ['a NIC that is not there', {}, { nic: 'ens3' as IfName }, [/^it has no link ens3/]],
  [
    'a NIC without the address',
    {},
    { nic: 'eth0' as IfName },
    [/^eth0 does not have the address 192.168.1.11/],
  ],
  [
    'the address twice',
    { links: JSON.stringify([eth1, link('eth2', '192.168.1.11')]) },
    {},
    [/^eth1 192.168.1.11\/24, eth2 192.168.1.11\/24 both have the address/],
  ],
  [
    '... and a NIC named',
    { links: JSON.stringify([eth1, link('eth2', '192.168.1.11')]) },
    { nic: 'eth2' as IfName },
    [],
  ],
  [
    'a small MTU',
    { links: JSON.stringify([{ ...eth1, mtu: 1400 }]) },
    {},
    [/^eth1 has an MTU of 1400, and the lab counts on 1500; set lab.mtu to 1400$/],
  ],
  ['many at once', { uid: '7', free: '0', links: JSON.stringify([eth0]) }, {}, [/root/, /\/run/, /NAT/]],
])('%s', (_, change, other, expected) => {
  const lacks = lacksOf(change, other)
  expect(lacks).toHaveLength(expected.length)
  expected.forEach((pattern, index) => expect(lacks[index]).toMatch(pattern))
})

test('a wrong clock, busy managers and no systemd are notes', () => {
  const notesOf = (change: Parameters<typeof answer>[0], other: Partial<Wanted>) => {
    const { lacks, notes } = judge(parseFacts(answer(change)), { ...wanted, ...other }, now)
    expect(lacks).toEqual([])
    return notes
  }
  const busy = { clock: String(now - 4000), active: ['systemd-networkd', 'NetworkManager'] }
  expect(notesOf(busy, { persist: false })).toEqual([
    expect.stringMatching(/^its clock is 4000 s behind/),
    expect.stringMatching(/^systemd-networkd runs: a restart of it deletes routes/),
    expect.stringMatching(/^NetworkManager runs: /),
  ])
  // What is restored at boot is kept from network managers too.
  expect(notesOf(busy, { persist: true })).toEqual([expect.stringMatching(/^its clock/)])
  expect(notesOf({ systemd: [] }, { persist: true })).toEqual([
    expect.stringMatching(/^systemd does not run there: /),
  ])
  expect(notesOf({ systemd: [] }, { persist: false })).toEqual([])
})

test('what its NIC reaches without a router, as a cloud gives it: an address of its own, and the gateway', () => {
  const routes =
    '[{"dst":"default","gateway":"192.168.1.1","dev":"eth1"},{"dst":"192.168.1.1","dev":"eth1","scope":"link"},{"dst":"192.168.1.0/24","gateway":"192.168.1.1","dev":"eth1"},{"dst":"10.9.0.0/16","dev":"eth0"},{"type":"blackhole","dst":"10.8.0.0/16"},{"dst":"10.244.2.0/24","dev":"eth1","protocol":79}]'
  expect(judge(parseFacts(answer({ routes })), wanted, now).onLink).toEqual(['192.168.1.1/32'])
})

test.each([
  ['of a whole company', '{"dst":"10.0.0.0/8","gateway":"192.168.1.254","dev":"eth1"}', '10.0.0.0/8 via'],
  ["a VPN's half", '{"dst":"0.0.0.0/1","gateway":"10.8.0.1","dev":"tun0"}', '0.0.0.0/1 via'],
  ['that throws away', '{"type":"unreachable","dst":"10.0.0.0/8","metric":9}', 'unreachable 10.0.0.0/8'],
  [
    'of a NIC',
    '{"dst":"10.0.0.0/8","dev":"eth2","protocol":"kernel","prefsrc":"10.1.2.3"}',
    '10.0.0.0/8 dev',
  ],
])('a route wider than the pod network, %s, is a note', (_, route, words) => {
  const { lacks, notes } = judge(parseFacts(answer({ routes: `[${route}]` })), wanted, now)
  expect(lacks).toEqual([])
  expect(notes).toEqual([expect.stringContaining(`it has a route ${words}`)])
  expect(notes[0]).toContain('wider than the pod Network 10.244.0.0/16')
})

test.each<[string, Parameters<typeof answer>[0], RegExp]>([
  [
    'a stale route in the pod network',
    { routes: '[{"dst":"10.244.9.0/24","gateway":"192.168.1.12","dev":"eth1"}]' },
    /`ip route del 10.244.9.0\/24 via 192.168.1.12 dev eth1`$/,
  ],
  [
    'an MTU that fell',
    { links: JSON.stringify([{ ...eth1, mtu: 1400 }]) },
    /longer packets are lost; type `ip link set eth1 mtu 1500`/,
  ],
  [
    'an address in the pod network',
    { links: JSON.stringify([eth1, link('tun3', '10.244.3.9')]) },
    /`ip address del 10.244.3.9\/24 dev tun3`$/,
  ],
])('%s keeps a new host out, and a host of the lab gets what is its own put right', (_, change, line) => {
  const of = (settled: boolean) => judge(parseFacts(answer(change)), { ...wanted, settled }, now)
  expect(of(false)).toMatchObject({ lacks: [expect.any(String)], warnings: [] })
  expect(of(true)).toMatchObject({ lacks: [], warnings: [expect.stringMatching(line)] })
})

test("a firewall's last rule is a warning with the lines to type", () => {
  const rules = [
    ':INPUT ACCEPT [0:0]',
    ':FORWARD ACCEPT [0:0]',
    '-A FORWARD -j REJECT --reject-with icmp-host-prohibited',
  ]
  const change = { variant: 'iptables', rules: rules.map((rule) => `iptables filter ${rule}`) }
  const { lacks, warnings } = judge(parseFacts(answer(change)), wanted, now)
  expect(lacks).toEqual([])
  expect(warnings).toEqual([expect.stringContaining('`iptables -I FORWARD -s 10.244.0.0/16 -j ACCEPT`')])
})

test('half an answer is none', () => {
  expect(() => parseFacts('kernel Linux 6.1\nuid 0\n')).toThrow('did not answer all questions')
})

test('an answer that is none is a fault of the host, said in one line', () => {
  const replaced = (key: string, value: string) =>
    answer().replace(new RegExp(`^${key} .*$`, 'm'), `${key} ${value}`)
  for (const [key, value] of [
    ['links', '[{"ifname": 7}]'],
    ['routes', 'RTNETLINK \u001b[2J'],
    ['uid', 'zero'],
    ['from', 'nobody\u202e'],
  ] as const) {
    expect(() => parseFacts(replaced(key, value)), key).toThrow(Error)
    expect(() => parseFacts(replaced(key, value)), key).not.toThrow(/[^ -~]/)
  }
})

test('a NIC whose name no plan can hold is a lack of that host, and names it', () => {
  const strange = answer().replaceAll('"eth1"', '"eth1:\\u001b[1m"')
  const verdict = judge(parseFacts(strange), wanted, now)
  expect(verdict.nic).toBe('')
  expect(verdict.lacks.join()).toMatch(/is called "eth1:.*rename it/)
})
