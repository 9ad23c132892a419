/** The whole way, for each backend: from nothing to a lab, nothing to do, drift and its repair, and away again. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { difference } from './fingerprint.ts'
import { dumpAll } from './support/kernel-dump.ts'
import { lostPairs, makeLab, say, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

const hosts = ['node1', 'node2', 'node3']

interface Drift {
  readonly host: string
  /** What somebody does by hand. */
  readonly script: string
  /** The objects that this changes, as the preview names them: from the state to what shall be. */
  readonly objects: Readonly<Record<string, 'add' | 'update' | 'delete'>>
}

interface Case {
  readonly backend: Readonly<Record<string, unknown>>
  readonly mtu: number
  /** What tcpdump prints of a ping between pods on the underlay. */
  readonly wire: (net: string) => RegExp
  readonly drift: readonly Drift[]
}

const cases: Readonly<Record<string, Case>> = {
  vxlan: {
    backend: { Type: 'vxlan' },
    mtu: 1450,
    wire: (net) =>
      new RegExp(
        `IP ${net}\\.1\\.\\d+ > ${net}\\.2\\.8472: .*\\n?.*10\\.244\\.1\\.2 > 10\\.244\\.2\\.2: ICMP`,
      ),
    drift: [
      {
        host: 'node1',
        script:
          'mac=$(bridge fdb show dev flannel.1 | grep "dst $NET.2 " | cut -d" " -f1); bridge fdb del $mac dev flannel.1',
        objects: { 'fdb["MAC2 dev flannel.1"]': 'add' },
      },
      { host: 'node1', script: 'ip route del 10.244.2.0/24', objects: { 'routes["10.244.2.0/24"]': 'add' } },
      {
        host: 'node2',
        script: 'ip neigh del 10.244.3.0 dev flannel.1',
        objects: { 'neighbours["10.244.3.0 dev flannel.1"]': 'add' },
      },
      {
        host: 'node2',
        script: 'ip route change 10.244.3.0/24 via 10.244.1.0 dev flannel.1 onlink proto 79',
        objects: { 'routes["10.244.3.0/24"]': 'update' },
      },
      {
        host: 'node3',
        script: 'ip link set flannel.1 mtu 1300',
        objects: { 'links["flannel.1"]': 'update' },
      },
    ],
  },
  'host-gw': {
    backend: { Type: 'host-gw' },
    mtu: 1500,
    wire: () => /IP 10\.244\.1\.2 > 10\.244\.2\.2: ICMP echo request/,
    drift: [
      { host: 'node1', script: 'ip route del 10.244.2.0/24', objects: { 'routes["10.244.2.0/24"]': 'add' } },
      {
        host: 'node2',
        script: 'ip route change 10.244.3.0/24 via $NET.1 dev eth0 proto 79',
        objects: { 'routes["10.244.3.0/24"]': 'update' },
      },
      { host: 'node3', script: 'ip link set cni0 mtu 1300', objects: { 'links.cni0': 'update' } },
    ],
  },
  udp: {
    backend: { Type: 'udp' },
    mtu: 1472,
    wire: (net) => new RegExp(`IP ${net}\\.1\\.8285 > ${net}\\.2\\.8285: UDP, length 84`),
    drift: [
      { host: 'node1', script: 'ip route del 10.244.0.0/16', objects: { 'routes["10.244.0.0/16"]': 'add' } },
      {
        host: 'node2',
        script: 'tc filter del dev eth0 ingress pref 7979',
        objects: { 'filters["eth0 ingress"]': 'add' },
      },
      {
        host: 'node3',
        // The key of the LPM map: prefix length 24 (little endian), 10.244.1.0.
        script: 'bpftool map delete pinned $(ls /run/overlab-bpf/*peers*) key 24 0 0 0 10 244 1 0',
        objects: { 'peers["10.244.1.0/24"]': 'add' },
      },
    ],
  },
}

/** Whatever the backend. */
const commonDrift: readonly Drift[] = [
  {
    host: 'node3',
    script: 'iptables -t nat -D FLANNEL-POSTRTG 5',
    objects: { 'iptables["nat FLANNEL-POSTRTG 5"]': 'add' },
  },
  {
    host: 'node2',
    script: 'ip netns exec node2-pod2 ip address del 10.244.2.3/24 dev eth0',
    objects: { 'pods["node2-pod2"]': 'update' },
  },
]

/** What others put on a host, beside what overlab has there. */
const foreign = `
ip route add 10.99.1.0/24 dev eth0 proto static
ip neigh add $NET.200 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
ip link add foreign0 type bridge
ip link set foreign0 alias "somebody's" up
ip address add 10.98.0.1/24 dev foreign0
iptables -A FORWARD -s 10.99.1.0/24 -m comment --comment "not overlab's" -j ACCEPT
iptables -t nat -A POSTROUTING -s 10.99.1.0/24 -j MASQUERADE
iptables -t nat -N FLANNEL-LIKE
ip netns add foreign
`

let project: Project
beforeAll(() => {
  project = makeProject()
})
afterAll(() => project.remove())

describe.each(Object.entries(cases))('%s', (type, { backend, mtu, wire, drift }) => {
  let lab: TestLab
  const on = (host: string, script: string) => lab.on(host, `NET=${lab.net}\n${script}`)
  beforeAll(async () => {
    lab = await makeLab(project, { backend })
  })
  afterAll(() => lab.destroy())

  test('from nothing to a lab in which all reach all', async () => {
    say(`${type}: up from nothing`)
    const printed = await lab.up()
    expect(printed).toMatch(/\+ 8 created/)
    expect(await lostPairs(lab)).toEqual([])
  })

  test('no process but init and sshd runs on a machine', async () => {
    for (const host of hosts) {
      const processes = (await lab.on(host, 'ps -eo comm= | sort -u | xargs')).split(' ')
      const own = ['ps', 'sort', 'xargs']
      expect(processes.filter((one) => !own.includes(one))).toEqual(['sh', 'sshd'])
    }
  })

  test(`packets of ${mtu} bytes pass whole, and no longer ones`, async () => {
    expect(await lab.inPod('node1-pod1', 'cat /sys/class/net/eth0/mtu')).toBe(String(mtu))
    expect(await lab.on('node1', 'cat /sys/class/net/cni0/mtu')).toBe(String(mtu))
    const ping = (bytes: number) => `ping -n -c 2 -i 0.1 -W 2 -M do -s ${bytes - 28} 10.244.2.2 2>&1 || :`
    expect(await lab.inPod('node1-pod1', ping(mtu))).toContain('2 received')
    expect(await lab.inPod('node1-pod1', ping(mtu + 1))).toMatch(/message too long|Message too long/)
  })

  test('the wire carries what the backend says', async () => {
    const seen = await lab.on(
      'node1',
      `timeout 20 tcpdump -l -n -i eth0 -c 2 'ip and not tcp' 2>/dev/null >/run/seen & sleep 1
       ip netns exec node1-pod1 ping -c 2 -W 2 10.244.2.2 >/dev/null; wait; cat /run/seen; rm /run/seen`,
    )
    expect(seen).toMatch(wire(lab.net.replaceAll('.', '\\.')))
  })

  test('a second up changes nothing and runs one command a host, which only reads', async () => {
    const before = await dumpAll(lab, hosts)
    const printed = await lab.up('--debug')
    expect(printed).toMatch(/8 unchanged/)
    expect(printed).toContain('data plane: 3 connections, 3 round trips so far')
    expect(printed).not.toMatch(/data plane: \d+ connections, ([^3]|\d\d+) round trips/)
    expect(difference(before, await dumpAll(lab, hosts))).toEqual([])
  })

  test('drift is named object by object, and up restores just that', async () => {
    say(`${type}: drift and repair`)
    for (const host of hosts) await on(host, foreign)
    await lab.inPod('node1-pod1', 'ping -n -c 3 -i 0.1 -W 2 10.244.2.2')
    const before = await dumpAll(lab, hosts)
    const forwarded = () =>
      on('node2', "iptables -nvxL FLANNEL-FWD | awk '/10.244/ {print $1; exit}'").then(Number)
    const packets = await forwarded()
    expect(packets).toBeGreaterThan(0)

    const mac2 = (await on('node2', 'cat /sys/class/net/flannel.1/address 2>/dev/null || :')) || 'none'
    const expected: Record<string, string> = {}
    for (const { host, script, objects } of [...drift, ...commonDrift]) {
      await on(host, script)
      for (const [object, kind] of Object.entries(objects))
        expected[`hosts.${host}.${object.replace('MAC2', mac2)}`] = kind
    }
    const { stdout, output } = await lab.overlab('preview', '--json', '--diff')
    expect(output).toContain('"steps"')
    const { steps } = JSON.parse(stdout) as {
      steps: { op: string; urn: string; detailedDiff?: Record<string, { kind: string }> | null }[]
    }
    const changing = steps.filter(({ op }) => op !== 'same' && op !== 'refresh')
    expect(changing.map(({ op, urn }) => [op, urn.split('::').slice(2).join(' ')])).toEqual([
      ['update', `overlab:index:Overlay$overlab:index:DataPlane ${lab.name}`],
    ])
    const named = Object.entries(changing[0]?.detailedDiff ?? {}).map(([path, { kind }]) => [path, kind])
    expect(Object.fromEntries(named)).toEqual(expected)

    const refresh = await lab.overlab('refresh', '--yes', '--skip-preview')
    expect(refresh.code, refresh.output).toBe(0)
    const said = refresh.output.split('\n').filter((line) => /^ {4}node\d: /.test(line))
    expect(said.map((line) => line.trim().replace(/\] (is gone|was).*/, ']'))).toHaveLength(
      Object.keys(expected).length,
    )

    await lab.up()
    expect(difference(before, await dumpAll(lab, hosts))).toEqual([])
    expect(await forwarded()).toBeGreaterThanOrEqual(packets)
    expect(await lostPairs(lab)).toEqual([])
    expect(await lab.up()).toMatch(/8 unchanged/)
  })
})
