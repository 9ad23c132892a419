/** What a row may hold: the canonical line of a shorter one, and a message for everything else. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cidr, IfName, Ip, Mac } from '../../inventory/values.ts'
import { address } from '../../modules/address.ts'
import { modules, moduleOf } from '../../modules/all.ts'
import { fdbEntry } from '../../modules/fdb.ts'
import { bridgeLink, vethLink, vxlanLink } from '../../modules/link.ts'
import { neighbour } from '../../modules/neighbour.ts'
import { route } from '../../modules/route.ts'
import type { TableName } from '../../modules/state.ts'
import { sysctl } from '../../modules/sysctl.ts'
import { hostState } from './states.ts'

const parse = (table: TableName, key: string, line: string) => moduleOf(table).row.safeParse({ key, line })

describe('a row', () => {
  it.for<[TableName, string, string, string]>([
    ['addresses', '10.244.1.1/24 dev cni0', '', 'brd 10.244.1.255 scope global'],
    ['addresses', '10.244.1.0/32 dev flannel.1', '', 'scope global'],
    ['addresses', '10.244.1.0/31 dev flannel.1', '', 'scope global'],
    ['addresses', '10.244.1.1/24 dev cni0', ' brd  10.244.1.254 ', 'brd 10.244.1.254 scope global'],
    ['routes', '10.244.1.0/24', 'onlink dev flannel.1 via 10.244.1.0', 'via 10.244.1.0 dev flannel.1 onlink'],
    ['routes', '10.244.1.0/24', 'dev eth0', 'dev eth0 scope link'],
    ['neighbours', '10.244.1.0 dev flannel.1', 'lladdr 0A:58:0A:F4:01:02', 'lladdr 0a:58:0a:f4:01:02'],
    [
      'links',
      'flannel.1',
      'vxlan address 0a:58:0a:f4:01:02 mtu 1450 nolearning id 1 dstport 8472 local 192.168.77.1 dev eth0',
      'vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning mtu 1450 address 0a:58:0a:f4:01:02',
    ],
    ['sysctls', 'net/ipv4/tcp_rmem', ' 4096  131072 6291456', '4096 131072 6291456'],
  ])('of %s becomes canonical: %s "%s"', ([table, key, line, canonical]) => {
    expect(parse(table, key, line)).toEqual({ success: true, data: canonical })
  })

  const vxlan =
    'vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning mtu 1450 address 0a:58:0a:f4:01:02'
  it.for<[TableName, string, string, string]>([
    ['links', 'flannel.1; reboot', vxlan, 'key "flannel.1; reboot": holds ";", which no key has'],
    ['links', 'a-name-that-is-too-long', vxlan, 'key "a-name-that-is-too-long": is not a link name'],
    ['links', 'flannel.1', 'vxlan\nlink delete eth0', 'holds "\\n", which no value has'],
    ['links', 'flannel.1', 'wireguard mtu 1450', 'unknown kind of link; known are vxlan, ipip, bridge, veth'],
    [
      'links',
      'flannel0',
      'ipip local 192.168.77.1 dev eth0 ttl 64 encap gue encap-sport 1 encap-dport 1 mtu 1472',
      'is not fou',
    ],
    [
      'links',
      'flannel0',
      'ipip local 192.168.77.1 dev eth0 ttl 64 encap fou encap-sport 1 mtu 1472',
      '"encap-dport" is missing',
    ],
    [
      'links',
      'flannel0',
      'ipip local 192.168.77.1 dev eth0 ttl 64 encap fou encap-sport 1 encap-dport 1 mtu 1472 external',
      'unknown word "external"',
    ],
    ['fou', '70000', 'ipproto 4', 'is not a whole number from 1 to 65535'],
    ['fou', '8285', 'ipproto 47', 'is not 4, IPv4 packets'],
    ['links', 'flannel.1', 'constructor mtu 1450', 'unknown kind of link'],
    ['links', 'flannel.1', vxlan.replace('id 1 ', ''), '"id" is missing'],
    [
      'links',
      'flannel.1',
      vxlan.replace('id 1 ', 'id 16777216 '),
      'id "16777216" is not a whole number from 0 to 16777215',
    ],
    ['links', 'flannel.1', vxlan.replace('1450', '67'), 'mtu "67" is not a whole number from 68 to 65535'],
    ['links', 'flannel.1', vxlan.replace('nolearning ', ''), 'needs one of "learning" and "nolearning"'],
    [
      'links',
      'flannel.1',
      `${vxlan} ttl 5`,
      'unknown word "ttl"; known are id, dev, local, dstport, learning, nolearning, mtu, address, master',
    ],
    ['links', 'flannel.1', `${vxlan} mtu 1400`, '"mtu" stands twice'],
    ['links', 'cni0', 'bridge mtu 1450 address 01:00:5e:00:00:01', 'is a multicast address'],
    ['addresses', '10.244.1.1 dev cni0', '', 'is not of the form 10.244.1.1/24 dev cni0'],
    ['addresses', '10.244.1.1/33 dev cni0', '', 'is not of the form'],
    ['addresses', '10.244.1.1/24 dev cni0', 'scope site', 'scope "site" is none of global, link, host'],
    ['routes', '10.244.1.7/24', 'dev eth0', 'has host bits set'],
    [
      'routes',
      '10.244.1.0/24',
      'via 10.244.1.0 onlink',
      '"dev" is missing; say through which link the packets leave',
    ],
    ['routes', '10.244.1.0/24', 'dev eth0 onlink', '"onlink" needs "via"'],
    ['routes', '10.244.1.0/24', 'via 10.1 dev eth0', 'via "10.1" is not an IPv4 address'],
    ['routes', '10.244.1.0/24', 'dev $(reboot)', 'holds "$", which no value has'],
    ['routes', '10.244.1.0/24', 'dev eth0 proto 4', 'unknown word "proto"'],
    ['routes', '10.244.1.0/24', 'dev eth0 toString', 'unknown word "toString"'],
    [
      'routes',
      '10.244.1.0/24',
      'dev eth0 encap bpf xmit ../../x',
      'xmit "../../x" is not the name of a pinned program',
    ],
    ['routes', '10.244.1.0/24', 'dev', '"dev" has no value'],
    ['neighbours', '10.244.1.0', 'lladdr 0a:58:0a:f4:01:02', 'is not of the form 10.244.2.0 dev flannel.1'],
    ['neighbours', '10.244.1.0 dev flannel.1', '', '"lladdr" is missing'],
    ['neighbours', '10.244.1.0 dev flannel.1', 'lladdr 0a:58', 'lladdr "0a:58" is not a MAC address'],
    ['fdb', '0A:58:0a:f4:01:02 dev flannel.1', 'dst 192.168.77.2', 'in lower case'],
    ['fdb', '0a:58:0a:f4:01:02 dev flannel.1', 'dst node2', 'dst "node2" is not an IPv4 address'],
    ['sysctls', 'kernel/core_pattern', 'x', 'is not a path below /proc/sys'],
    ['sysctls', 'kernel/random/boot_id', 'x', 'lies outside of net/'],
    ['sysctls', 'net/ipv4/../../kernel/core_pattern', 'x', 'is not a path below /proc/sys'],
    ['sysctls', 'net/ipv4/ip_forward', "1'; reboot '", 'holds "\'", which no value has'],
    ['sysctls', 'net/ipv4/ip_forward', '', 'is not a value such as 1'],
  ])('of %s is refused: %s "%s"', ([table, key, line, message]) => {
    const result = parse(table, key, line)
    expect(result.success).toBe(false)
    expect(result.error!.issues.map((issue) => issue.message).join('\n')).toContain(message)
  })

  it('of any table holds nothing that a shell or a batch reads as more than words', () => {
    const token = fc.constantFrom(
      'dev',
      'via',
      'eth0',
      '10.1.1.0',
      '10.1.1.0/24',
      'scope',
      'global',
      'bridge',
      'mtu',
      '1450',
      'address',
      '0a:58:0a:f4:01:02',
      'lladdr',
      'dst',
      '1',
      ';',
      '`id`',
      '$x',
      '#',
      '\n',
      '"',
      "'",
      '\\',
      '&',
      '\u00a0',
      '\u2028',
      '\r',
      '\0',
    )
    const text = fc.array(token, { maxLength: 6 }).map((words) => words.join(' '))
    fc.assert(
      fc.property(
        fc.constantFrom(...modules.filter(({ table }) => table !== 'iptables')),
        text,
        text,
        (module, key, line) => {
          const result = module.row.safeParse({ key, line })
          if (result.success) expect(`${key} ${result.data}`).toMatch(/^[A-Za-z0-9_.:/@[\] -]*$/)
        },
      ),
      { numRuns: 3000 },
    )
  })
})

describe('the builders', () => {
  it('write what `ip` prints', () => {
    const dev = 'flannel.1' as IfName
    const mac = '0a:58:0a:f4:01:02' as Mac
    const eth0 = 'eth0' as IfName
    expect(
      [
        vxlanLink({ name: dev, id: 1, nic: eth0, local: '192.168.77.1' as Ip, port: 8472, mtu: 1450, mac }),
        vxlanLink({
          name: dev,
          id: 1,
          nic: eth0,
          local: '192.168.77.1' as Ip,
          port: 8472,
          mtu: 1450,
          mac,
          learning: true,
        }),
        bridgeLink({ name: 'cni0' as IfName, mtu: 1450, mac }),
        vethLink({ name: 'v0' as IfName, peer: 'v1' as IfName, mtu: 1450, mac, master: 'cni0' as IfName }),
        address({ ip: '10.244.1.0' as Ip, length: 32, dev }),
        address({ ip: '10.244.1.1' as Ip, length: 24, dev: 'cni0' as IfName }),
        route({ to: '10.244.2.0/24' as Cidr, via: '10.244.2.0' as Ip, dev, onlink: true }),
        route({ to: '10.244.2.0/24' as Cidr, via: '192.168.77.2' as Ip, dev: eth0 }),
        route({
          to: '10.244.0.0/16' as Cidr,
          dev: eth0,
          src: '10.244.1.1' as Ip,
          encap: 'overlab-udp-0123456789ab',
        }),
        neighbour({ ip: '10.244.2.0' as Ip, dev, mac }),
        fdbEntry({ mac, dev, dst: '192.168.77.2' as Ip }),
        sysctl('net/ipv4/ip_forward', 1),
      ].map(({ key, line }) => `${key} = ${line}`),
    ).toEqual([
      `flannel.1 = vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning mtu 1450 address ${mac}`,
      `flannel.1 = vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 learning mtu 1450 address ${mac}`,
      `cni0 = bridge mtu 1450 address ${mac}`,
      `v0 = veth peer v1 mtu 1450 address ${mac} master cni0`,
      '10.244.1.0/32 dev flannel.1 = scope global',
      '10.244.1.1/24 dev cni0 = brd 10.244.1.255 scope global',
      '10.244.2.0/24 = via 10.244.2.0 dev flannel.1 onlink',
      '10.244.2.0/24 = via 192.168.77.2 dev eth0',
      '10.244.0.0/16 = encap bpf xmit overlab-udp-0123456789ab dev eth0 scope link src 10.244.1.1',
      `10.244.2.0 dev flannel.1 = lladdr ${mac}`,
      `${mac} dev flannel.1 = dst 192.168.77.2`,
      'net/ipv4/ip_forward = 1',
    ])
  })

  it('write lines that the schemas return as they are', () => {
    fc.assert(
      fc.property(hostState, (state) => {
        for (const [table, rows] of Object.entries(state))
          for (const [key, line] of Object.entries(rows))
            expect(moduleOf(table as TableName).row.parse({ key, line })).toBe(line)
      }),
    )
  })
})
