/** The udp backend without a process: three hosts with a pod each, on a switch, in the real kernel. */
import { readdirSync, readlinkSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Cidr, IfName, Ip, Mac, Name } from '../../inventory/values.ts'
import { forgetOldLine } from '../../modules/bpf/loader.ts'
import { readCounters, type Counter } from '../../modules/bpf/maps.ts'
import { decapPath, encapPath, encapProgram, statsPath } from '../../modules/bpf/names.ts'
import { filterModule, udpFilterRow } from '../../modules/filter.ts'
import { flannelRules, iptablesModule } from '../../modules/iptables.ts'
import { tableOf } from '../../modules/module.ts'
import { bpfFolder } from '../../modules/owner.ts'
import { peerModule, peerRow } from '../../modules/peer.ts'
import { podModule, podRow } from '../../modules/pod.ts'
import type { Table } from '../../modules/state.ts'
import { apply, current, kernel, scope, type Kernel } from '../support/kernel.ts'

const numbers = [1, 2, 3] as const
const subnet = (number: number): Cidr => `10.244.${number}.0/24` as Cidr
const outer = (number: number): Ip => `192.168.77.${number}` as Ip
const inner = (number: number): Ip => `10.244.${number}.2` as Ip
const filters = (number: number, port = 8285): Table =>
  tableOf([udpFilterRow({ nic: 'eth0' as IfName, port, local: outer(number), subnet: subnet(number) })])
const peers = (number: number): Table =>
  tableOf(
    numbers
      .filter((other) => other !== number)
      .map((other) => peerRow({ subnet: subnet(other), address: outer(other) })),
  )
const pods = (number: number): Table =>
  tableOf([
    podRow({
      name: 'pod1' as Name,
      address: inner(number),
      subnet: subnet(number),
      gateway: `10.244.${number}.1` as Ip,
      bridge: 'cni0' as IfName,
      mtu: 1472,
      mac: `0a:58:0a:f4:0${number}:02` as Mac,
    }),
  ])
const route = (number: number): string =>
  `ip route replace 10.244.0.0/16 encap bpf headroom 28 xmit pinned ${encapPath} dev eth0 src 10.244.${number}.1 proto 79`

let wire: Kernel
let hosts: Kernel[] = []
const host = (number: number): Kernel => hosts[number - 1]!
const inPod = (command: string): string => `ip netns exec pod1 ${command}`

async function bringUp(): Promise<void> {
  wire = await kernel()
  await wire.sh('ip link add br0 type bridge; ip link set br0 up')
  for (const number of numbers) {
    const on = await kernel()
    hosts.push(on)
    await wire.sh(
      `ip link add port${number} type veth peer name eth0 netns ${on.pid}; ip link set port${number} master br0 up`,
    )
    await on.sh(`
      ip addr add ${outer(number)}/24 dev eth0; ip link set eth0 up
      ip link add cni0 mtu 1472 type bridge; ip link set cni0 up; ip addr add 10.244.${number}.1/24 dev cni0
      echo 1 > /proc/sys/net/ipv4/ip_forward`)
    await apply(on, podModule, scope(pods(number)))
    await apply(on, filterModule, scope(filters(number)))
    await apply(on, peerModule, scope(peers(number)))
    await on.sh(route(number))
  }
}

async function takeDown(): Promise<void> {
  for (const one of [...hosts, wire]) await one?.close()
  hosts = []
}

async function counted(number: number): Promise<Record<Counter, number>> {
  return readCounters(await host(number).sh(`bpftool -j map dump pinned ${statsPath}`))
}

async function allReach(): Promise<void> {
  for (const from of numbers)
    for (const to of numbers) await host(from).sh(inPod(`ping -c2 -i0.05 -W2 ${inner(to)}`))
}

describe('on a network that is up', () => {
  beforeAll(bringUp)
  afterAll(takeDown)
  afterEach(async () => {
    // What one test breaks, the next does not find.
    for (const number of numbers) {
      await apply(host(number), filterModule, scope(filters(number), filters(number)))
      await apply(host(number), peerModule, scope(peers(number), peers(number)))
    }
  })

  test('every pod reaches every pod, and hosts reach pods', async () => {
    await allReach()
    for (const from of numbers) for (const to of numbers) await host(from).sh(`ping -c1 -W2 ${inner(to)}`)
  })

  test('no process moves the packets', () => {
    const namespaces = new Set(hosts.map(({ pid }) => readlinkSync(`/proc/${pid}/ns/net`)))
    const holders = new Set(hosts.map(({ pid }) => String(pid)))
    const others = readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && !holders.has(pid) && namespaces.has(readlinkSync(`/proc/${pid}/ns/net`))
      } catch {
        return false // ended meanwhile
      }
    })
    expect(others).toEqual([])
  })

  test('nothing is left to do the second time, and what is there reads as what was asked for', async () => {
    for (const number of numbers) {
      expect(await current(host(number), filterModule, scope(filters(number)))).toEqual(filters(number))
      expect(await current(host(number), peerModule, scope(peers(number)))).toEqual(peers(number))
      expect(await apply(host(number), filterModule, scope(filters(number)))).toEqual([])
      expect(await apply(host(number), peerModule, scope(peers(number)))).toEqual([])
    }
  })

  test('the MTU is 1472 exactly', async () => {
    await host(1).sh(inPod(`ping -c1 -W2 -M do -s 1444 ${inner(2)}`))
    const tooLong = await host(1).run(inPod(`ping -c1 -W2 -M do -s 1445 ${inner(2)}`))
    expect(tooLong).toMatchObject({ code: 1, stderr: expect.stringContaining('mtu=1472') as string })
    const fromHost = await host(1).run(`ping -c1 -W2 -M do -s 1445 ${inner(2)}`)
    expect(fromHost).toMatchObject({ code: 1, stderr: expect.stringContaining('mtu=1472') as string })
    // In pieces, a longer one passes.
    await host(1).sh(inPod(`ping -c1 -W2 -M dont -s 4000 ${inner(2)}`))
  })

  test('four hops, and Time Exceeded from the far host where flanneld is silent', async () => {
    expect(await host(1).sh(inPod(`ping -c1 -W2 ${inner(2)}`))).toContain('ttl=60')
    for (const ttl of [2, 3, 4]) {
      const { stdout } = await host(1).run(inPod(`ping -c1 -W2 -t ${ttl} ${inner(2)}`))
      expect(stdout).toContain('From 10.244.2.1 icmp_seq=1 Time to live exceeded')
    }
    await host(1).sh(inPod(`ping -c1 -W2 -t 5 ${inner(2)}`))
  })

  test("the wire format is flannel's", async () => {
    await host(1).sh(inPod(`ping -c1 -W2 ${inner(3)}`)) // addresses of neighbours are known from here on
    const capture = wire.sh(
      'timeout 20 tcpdump -ni port1 -c1 -xx -v "udp and src host 192.168.77.1" 2>/dev/null',
    )
    await expect
      .poll(async () => (await wire.sh('ss -0 -n 2>/dev/null | grep -c port1 || :')).trim(), {
        timeout: 10_000,
      })
      .not.toBe('0')
    await host(1).sh(inPod(`ping -c1 -W2 -s 16 -t 64 ${inner(3)}`))
    const bytes = [...(await capture).matchAll(/^\s+0x[0-9a-f]+: +(.*)$/gm)]
      .flatMap(([, hex]) => hex!.replaceAll(' ', '').match(/../g)!)
      .map((byte) => parseInt(byte, 16))
    const ip = bytes.slice(14, 34)
    const length = 20 + 8 + 20 + 8 + 16
    expect(ip.slice(0, 4)).toEqual([0x45, 0, length >> 8, length & 255])
    expect(ip.slice(6, 10)).toEqual([0x40, 0, 64, 17]) // DF, TTL, UDP
    expect(checksum(ip)).toBe(0xffff)
    expect(ip.slice(12)).toEqual([192, 168, 77, 1, 192, 168, 77, 3])
    expect(bytes.slice(34, 42)).toEqual([8285 >> 8, 8285 & 255, 8285 >> 8, 8285 & 255, 0, length - 20, 0, 0])
    const payload = bytes.slice(42)
    expect(payload[0]).toBe(0x45)
    expect(payload[8]).toBe(62) // lowered by the host that forwards, and by the datapath
    expect(checksum(payload.slice(0, 20))).toBe(0xffff)
    expect(payload.slice(12, 20)).toEqual([10, 244, 1, 2, 10, 244, 3, 2])
    expect(payload).toHaveLength(20 + 8 + 16)
  })

  test.each(['on', 'off'])('TCP flows with segmentation offload %s', async (offload) => {
    await host(1).sh(`ethtool -K eth0 tx ${offload} >/dev/null`)
    const server = host(2).start('ip', 'netns', 'exec', 'pod1', 'timeout', '20', 'iperf3', '-s', '-1')
    try {
      await expect.poll(() => host(2).sh(inPod('ss -Hltn')), { timeout: 10_000 }).toContain(':5201')
      const report = JSON.parse(await host(1).sh(inPod(`timeout 15 iperf3 -J -c ${inner(2)} -t 2`))) as {
        end: { sum_received: { bytes: number } }
      }
      // Far below what any machine does, far above what retransmissions alone would bring.
      expect(report.end.sum_received.bytes).toBeGreaterThan(20e6)
    } finally {
      server.kill()
      await host(1).sh('ethtool -K eth0 tx on >/dev/null')
    }
  })

  test("a connection from outside, masqueraded by flannel's rules, goes through and back", async () => {
    const of = scope(tableOf(flannelRules({ network: '10.244.0.0/16' as Cidr, subnet: subnet(1) })))
    await host(1).sh(`ip netns add outside; ip link add out0 type veth peer name eth0 netns outside
      ip addr add 172.20.0.1/24 dev out0; ip link set out0 up; ip -n outside addr add 172.20.0.2/24 dev eth0
      ip -n outside link set eth0 up; ip -n outside route add default via 172.20.0.1`)
    await apply(host(1), iptablesModule, of)
    const server = host(2).start('ip', 'netns', 'exec', 'pod1', 'timeout', '20', 'iperf3', '-s', '-1')
    try {
      await host(1).sh(`ip netns exec outside ping -c2 -i0.05 -W2 ${inner(2)}`)
      await expect.poll(() => host(2).sh(inPod('ss -Hltn')), { timeout: 10_000 }).toContain(':5201')
      await host(1).sh(`ip netns exec outside timeout 15 iperf3 -c ${inner(2)} -n 2M`)
    } finally {
      server.kill()
      await apply(host(1), iptablesModule, scope({}, of.desired))
      await host(1).sh('ip netns del outside')
    }
  })

  test.each([
    ['source invalid', "another host's pod as source", inner(1), inner(2)],
    ['source invalid', "a source that is nobody's pod", '8.8.8.8', inner(2)],
    ['destination other', 'a destination in the world', inner(3), '8.8.8.8'],
    ['destination other', 'a destination on a third host', inner(3), inner(1)],
    ['destination other', 'a multicast destination', inner(3), '224.0.0.1'],
    ['decapsulated', 'a packet as it should be', inner(3), inner(2)],
    ['decapsulated', 'a masqueraded packet', outer(3), inner(2)],
  ] as const)('counts %s for %s', async (counter, _, source, destination) => {
    const before = await counted(2)
    await send(3, 2, ipv4(source, destination))
    await expect.poll(async () => (await counted(2))[counter], { timeout: 5_000 }).toBe(before[counter] + 1)
  })

  test('refuses what is no IPv4 packet, and leaves other ports and addresses alone', async () => {
    const before = await counted(2)
    await send(3, 2, Buffer.from([0x60, ...new Array<number>(40).fill(0)]))
    await send(3, 2, Buffer.alloc(40, 0x45), 9999)
    await expect
      .poll(async () => (await counted(2))['payload invalid'], { timeout: 5_000 })
      .toBe(before['payload invalid'] + 1)
    expect((await counted(2))['decapsulated']).toBe(before['decapsulated'])
  })

  test('a destination without a peer is dropped and counted, not sent out in the clear', async () => {
    const before = await counted(1)
    const { code } = await host(1).run(inPod('ping -c1 -W1 10.244.99.2'))
    expect(code).toBe(1)
    expect((await counted(1))['no peer']).toBe(before['no peer'] + 1)
  })

  test('a deleted peer, a changed one and one too many are found; only those are put right', async () => {
    await host(1).sh(`bpftool batch file - <<'END'
map delete pinned ${bpfFolder}/overlab_peers key hex 18 00 00 00 0a f4 02 00
map update pinned ${bpfFolder}/overlab_peers key hex 18 00 00 00 0a f4 03 00 value hex 01 02 03 04
map update pinned ${bpfFolder}/overlab_peers key hex 18 00 00 00 0a f4 09 00 value hex 01 02 03 04
END`)
    expect(await apply(host(1), peerModule, scope(peers(1)))).toEqual([
      { table: 'peers', op: 'add', key: '10.244.2.0/24', to: '192.168.77.2' },
      { table: 'peers', op: 'change', key: '10.244.3.0/24', from: '1.2.3.4', to: '192.168.77.3' },
      { table: 'peers', op: 'delete', key: '10.244.9.0/24', from: '1.2.3.4' },
    ])
    await allReach()
  })

  test.each([
    ['the filter was deleted', 'tc filter del dev eth0 ingress pref 7979', 'add'],
    ['the hook was deleted', 'tc qdisc del dev eth0 clsact', 'add'],
    [
      'the settings were changed',
      `bpftool map update pinned ${bpfFolder}/overlab_config key hex 00 00 00 00 value hex 01 02 03 04 0a f4 02 00 ff ff ff 00 20 5d 00 00`,
      'change',
    ],
    ['the pins were removed', `rm ${encapPath} ${decapPath}`, 'change'],
    ['the bpffs was unmounted', `umount ${bpfFolder}`, 'change'],
  ])('%s: found, and restored', async (_, act, op) => {
    await host(2).sh(act)
    expect(await apply(host(2), filterModule, scope(filters(2), filters(2)))).toMatchObject([
      { op, key: 'eth0 ingress' },
    ])
    expect(await current(host(2), filterModule, scope(filters(2)))).toEqual(filters(2))
    await apply(host(2), peerModule, scope(peers(2)))
    await allReach()
    // Route and filter use the very maps that can be read and changed.
    const before = await counted(2)
    await host(2).sh(inPod(`ping -c1 -W2 ${inner(1)}`))
    const { encapsulated, decapsulated } = await counted(2)
    expect({ encapsulated, decapsulated }).toEqual({
      encapsulated: before.encapsulated + 1,
      decapsulated: before.decapsulated + 1,
    })
  })

  test('peers that come and go, and a new load of the program, lose no ping', async () => {
    const pings = host(1).sh(inPod(`ping -i0.01 -c200 -W1 ${inner(2)} | grep received`))
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [`10.244.${at + 10}.0/24`, '192.168.77.200']),
    )
    await apply(host(1), peerModule, scope({ ...peers(1), ...many }))
    await apply(host(1), peerModule, scope(peers(1), { ...peers(1), ...many }))
    await host(1).sh(`rm ${encapPath} ${decapPath}`)
    await apply(host(1), filterModule, scope(filters(1), filters(1)))
    // Another version has another name; the route takes it in one step, and the old pin goes.
    const other = `${bpfFolder}/overlab-udp-0123456789ab`
    await host(1).sh(`bpftool prog pin pinned ${encapPath} ${other}; ${route(1).replace(encapPath, other)}`)
    await host(1).sh(
      `${route(1)}; ${forgetOldLine}; [ ! -e ${other} ]; [ -e ${encapPath} ]; [ -e ${decapPath} ]`,
    )
    expect(await pings).toContain('200 received')
  })

  test('another port is a change of settings', async () => {
    for (const number of numbers)
      expect(
        await apply(host(number), filterModule, scope(filters(number, 7777), filters(number))),
      ).toMatchObject([{ op: 'change' }])
    await allReach()
    expect(await host(1).sh('ip route show proto 79')).toContain(
      `encap bpf xmit ${encapProgram}:[*fsobj] dev eth0`,
    )
  })
})

describe('taken away', () => {
  afterEach(takeDown)

  test('leaves no filter, no hook, no pin, no file', async () => {
    await bringUp()
    const on = host(1)
    await on.sh('ip route del 10.244.0.0/16')
    await apply(on, filterModule, scope({}, filters(1)))
    await apply(on, peerModule, scope({}, peers(1)))
    expect(await current(on, filterModule, scope({}))).toEqual({})
    expect(await current(on, peerModule, scope({}))).toEqual({})
    expect(await on.sh('tc qdisc show dev eth0')).not.toContain('clsact')
    expect(
      await on.sh('find /run ! -path "/run/netns*" ! -path /run/mount; grep -c bpf /proc/self/mounts || :'),
    ).toBe('/run\n0\n')
  })

  test("a filter of someone else's keeps its hook", async () => {
    await bringUp()
    await host(1).sh('tc filter add dev eth0 egress pref 1 protocol all bpf bytecode "1,6 0 0 4294967295"')
    await apply(host(1), filterModule, scope({}, filters(1)))
    expect(await host(1).sh('tc filter show dev eth0 egress')).toContain('pref 1 bpf')
  })

  test('a hook that was there before stays', async () => {
    hosts.push(await kernel())
    await host(1).sh('ip link add eth0 type veth peer name far; tc qdisc add dev eth0 clsact')
    await apply(host(1), filterModule, scope(filters(1)))
    await apply(host(1), filterModule, scope({}, filters(1)))
    expect(await host(1).sh('tc qdisc show dev eth0')).toContain('clsact')
  })
})

/** Sends one datagram from the port it is sent to, as flanneld does. */
async function send(from: number, to: number, payload: Buffer, port = 8285): Promise<void> {
  const script = `const s = require('node:dgram').createSocket('udp4')
s.bind(${port}, () => s.send(Buffer.from('${payload.toString('hex')}', 'hex'), ${port}, '${outer(to)}', () => s.close()))`
  await host(from).sh(`'${process.execPath}' -e "${script}"`)
}

/** An IPv4 packet with an empty UDP datagram to a port where nobody listens. */
function ipv4(source: string, destination: string): Buffer {
  const header = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, ...bytesOf(source), ...bytesOf(destination)]
  const check = ~checksum(header) & 0xffff
  header[10] = check >> 8
  header[11] = check & 255
  return Buffer.from([...header, 0, 9, 0, 9, 0, 8, 0, 0])
}

function bytesOf(address: string): number[] {
  return address.split('.').map(Number)
}

/** The ones' complement sum of RFC 791; 0xffff over a header with its checksum. */
function checksum(header: readonly number[]): number {
  let sum = 0
  for (let at = 0; at < header.length; at += 2) sum += header[at]! * 256 + header[at + 1]!
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return sum
}
