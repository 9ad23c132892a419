/** Real labs of every backend: a trace of a way that works, and of the same way with one thing taken out of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { observe } from '../../experiments/trace/collect.ts'
import { endOf } from '../../experiments/trace/endpoint.ts'
import { traceOf, type Trace } from '../../experiments/trace/trace.ts'
import { backends } from '../support/inventory.ts'
import { smallLab, type SmallLab } from './trace/lab.ts'

/** An underlay of this run's own, in 10.0.0.0/8. */
const nets = { vxlan: 1, 'host-gw': 2, udp: 3 } as const
type Backend = keyof typeof nets
const netOf = (backend: Backend): string => `10.${160 + (process.pid % 60)}.${nets[backend]}`
const labOf = (backend: Backend): Promise<SmallLab> =>
  smallLab(`trace-${process.pid}-${nets[backend]}`, netOf(backend), backends[backend])

async function traced(lab: SmallLab, from = 'node1-pod1', to = 'node2-pod1'): Promise<Trace> {
  const ends = [endOf(lab.plan, from)!, endOf(lab.plan, to)!] as const
  return traceOf(lab.plan, await observe(lab.session, lab.plan, ...ends), ...ends)
}

/** No capture, no keeper and no folder of a trace on any host. */
async function nothingLeft(lab: SmallLab): Promise<void> {
  for (const host of Object.keys(lab.targets))
    expect(
      await lab.sh(host, 'ls -d /run/overlab-trace-* 2>/dev/null; pgrep -a "tcpdump|timeout" || :'),
    ).toBe('')
}

const topicsOf = ({ steps }: Trace): string[] => steps.map(({ actor, topic }) => `${actor} ${topic}`)
/** Header by header: protocol and the fields that matter. */
const headersOf = ({ steps }: Trace, actor: string): string[] =>
  steps
    .find((step) => step.actor === actor && step.topic === 'wire')!
    .packet!.map(({ protocol, fields }) =>
      [
        protocol,
        fields['source'],
        fields['destination'],
        fields['destination port'],
        fields['VNI'],
        fields['type'],
      ]
        .filter((word) => word !== undefined)
        .join(' '),
    )

const fdb = 'bridge fdb del $(bridge fdb show dev flannel.1 | cut -d" " -f1) dev flannel.1'
const peers = (number: number): string =>
  `bpftool map delete pinned /run/overlab-bpf/overlab_peers key hex 18 00 00 00 0a f4 0${number} 00`

/** Host, what is done to it, how the verdict begins. */
const broken: Readonly<Record<Backend, readonly (readonly [string, string, string])[]>> = {
  vxlan: [
    [
      'node1',
      'ip route del 10.244.2.0/24',
      'node1 has no route to 10.244.2.0/24: the packet takes "default via',
    ],
    ['node1', 'ip neigh del 10.244.2.0 dev flannel.1', 'node1 has no neighbour 10.244.2.0 on flannel.1'],
    [
      'node1',
      fdb,
      'node1 has no FDB entry for 6a:d2:b4:aa:45:1c: the packet leaves flannel.1 to nobody; put there by overlab: `./overlab up',
    ],
    [
      'node2',
      'ip link del flannel.1',
      'node2 has no link flannel.1: nobody takes the packet out of its envelope',
    ],
    ['node2', 'ip route del 10.244.1.0/24', 'node2 has no route to 10.244.1.0/24'],
    ['node2', 'ip neigh del 10.244.1.0 dev flannel.1', 'node2 has no neighbour 10.244.1.0 on flannel.1'],
    ['node2', fdb, 'node2 has no FDB entry for 16:48:e0:d7:53:2f'],
    [
      'node2',
      'ip link set flannel.1 address 02:00:00:00:00:99',
      "the frame inside is for 6a:d2:b4:aa:45:1c, but node2's flannel.1 has the MAC 02:00:00:00:00:99",
    ],
    [
      'node1',
      'ip -n node1-pod1 route del default',
      'node1-pod1 has no route to 10.244.2.2: Network is unreachable',
    ],
    [
      'node1',
      'ip link set $(ip -o link | sed -n "s/.*\\(veth[0-9a-f]*\\).*alias overlab pod node1-pod1.*/\\1/p") nomaster',
      "node1 does not have node1-pod1's end veth20df788f as a forwarding port of cni0",
    ],
    ['node2', 'ip addr flush dev cni0', 'node2 has no route to its own pods 10.244.2.0/24'],
    ['node2', 'ip -n node2-pod1 link set eth0 down', 'node2-pod1 has no eth0 that is up with 10.244.2.2'],
    ['node1', 'echo 0 >/proc/sys/net/ipv4/ip_forward', 'node1 does not forward: net.ipv4.ip_forward is 0'],
    [
      'node2',
      'iptables -P FORWARD DROP; iptables -F FLANNEL-FWD',
      "node2's iptables drop the packet: filter FORWARD policy DROP",
    ],
  ],
  'host-gw': [
    [
      'node1',
      'ip route del 10.244.2.0/24',
      'node1 has no route to 10.244.2.0/24: the packet takes "default via',
    ],
    ['node2', 'ip route del 10.244.1.0/24', 'node2 has no route to 10.244.1.0/24'],
    [
      'node1',
      'ip route replace 10.244.2.0/24 via $(ip -4 -o addr show eth0 | sed -n "s/.*inet \\([0-9.]*\\)\\.1\\/.*/\\1/p").77',
      'node1: route: the plan says: via ',
    ],
  ],
  udp: [
    ['node1', 'ip route del 10.244.0.0/16', 'node1 has no route to 10.244.0.0/16'],
    [
      'node1',
      peers(2),
      'node1 has no peer for 10.244.2.0/24: its program knows no host for it and drops the packet (its counter "no peer" rose by 1)',
    ],
    [
      'node2',
      peers(1),
      'node2 has no peer for 10.244.1.0/24 (node1): its filter takes no packet of 10.244.1.2',
    ],
    ['node2', 'tc filter del dev eth0 ingress', 'node2 has no tc filter on eth0 ingress'],
    ['node1', 'tc filter del dev eth0 ingress', 'node1 has no tc filter on eth0 ingress'],
    ['node2', 'ip route del 10.244.0.0/16', 'node2 has no route to 10.244.0.0/16'],
  ],
}

describe.each(Object.keys(nets) as Backend[])('%s', (backend) => {
  let lab: SmallLab
  beforeAll(async () => void (lab = await labOf(backend)))
  afterAll(() => lab?.remove())
  afterEach(async () => {
    for (const host of Object.keys(lab.targets)) await lab.sh(host, 'iptables -P FORWARD ACCEPT')
    await lab.restore()
  })

  test('there and back, every entry with its owner, the envelope from a capture', async () => {
    const trace = await traced(lab)
    expect(trace.verdict).toMatchObject({
      arrived: true,
      sentences: [expect.stringMatching(/^node2-pod1 answered in [\d.]+ ms/)],
    })
    const net = netOf(backend)
    const inner = ['ipv4 10.244.1.2 10.244.2.2', 'icmp echo request', 'payload']
    const wire = headersOf(trace, 'node1').map((line) => line.replace(/^ethernet .*/, 'ethernet'))
    expect(wire).toEqual(
      {
        vxlan: ['ethernet', `ipv4 ${net}.1 ${net}.2`, 'udp 8472', 'vxlan 1', 'ethernet', ...inner],
        'host-gw': ['ethernet', ...inner],
        udp: ['ethernet', `ipv4 ${net}.1 ${net}.2`, 'udp 8285', ...inner],
      }[backend],
    )
    expect(headersOf(trace, 'node2')).toEqual(headersOf(trace, 'node1'))
    const owners = trace.steps
      .filter(({ topic, actor }) => topic !== 'iptables' && actor.startsWith('node1'))
      .flatMap(({ by }) => by ?? [])
    expect(owners).toContain('overlab')
    expect(owners.filter((by) => !/^(overlab|kernel)/.test(by))).toEqual([])
    const rules = trace.steps.find(({ topic }) => topic === 'iptables')!.rules!
    // The echo request and its answer.
    const forward = rules.find(({ chain, rule }) => chain === 'FORWARD' && rule.includes('FLANNEL-FWD'))!
    expect(forward.after - forward.before).toBe(2)
    await nothingLeft(lab)
  })

  test.each(broken[backend])('%s: %s', async (host, act, says) => {
    await lab.sh(host, act)
    const { verdict } = await traced(lab)
    expect(verdict.arrived).toBe(false)
    expect(verdict.sentences[0]).toContain(says)
    await nothingLeft(lab)
    await lab.restore()
    expect((await traced(lab)).verdict.arrived).toBe(true)
  })
})

describe('other ends', () => {
  let lab: SmallLab
  beforeAll(async () => void (lab = await labOf('vxlan')))
  afterAll(() => lab?.remove())

  test('two pods of one host: only the bridge', async () => {
    const trace = await traced(lab, 'node1-pod1', 'node1-pod2')
    expect(trace.verdict.arrived).toBe(true)
    expect(new Set(trace.steps.map(({ actor }) => actor))).toEqual(
      new Set(['node1-pod1', 'node1', 'node1-pod2']),
    )
    expect(topicsOf(trace).filter((topic) => /wire|encapsulation|FDB/.test(topic))).toEqual([])
  })

  test("a host's underlay address: masqueraded, without an envelope", async () => {
    const trace = await traced(lab, 'node1-pod1', 'node2')
    expect(trace.verdict.arrived).toBe(true)
    expect(trace.steps.find(({ topic }) => topic === 'address translation')).toMatchObject({
      actor: 'node1',
      decision: `the source 10.244.1.2 becomes ${netOf('vxlan')}.1`,
      by: 'overlab',
    })
    expect(topicsOf(trace)).not.toContain('node1 encapsulation')
  })

  test('from a host to a pod: the source that the kernel takes', async () => {
    const trace = await traced(lab, 'node1', 'node2-pod1')
    expect(trace.verdict.arrived).toBe(true)
    expect(trace.steps[0]!.decision).toContain('with the source 10.244.1.0')
  })

  test('an address outside: where it leaves the lab', async () => {
    const { verdict, steps } = await traced(lab, 'node1-pod1', '198.51.100.9')
    expect(verdict.sentences).toEqual([
      'the packet left the lab, and nothing came back',
      'no answer from 198.51.100.9 (198.51.100.9)',
      'the packet was last seen on node1, leaving by eth0',
    ])
    expect(steps.at(-1)).toMatchObject({ actor: '198.51.100.9', topic: 'not known' })
  })

  test('an address that no pod has', async () => {
    const { verdict } = await traced(lab, 'node1-pod1', '10.244.2.77')
    expect(verdict.sentences[0]).toContain('node2 has no pod with the address 10.244.2.77')
  })

  test('given up in the middle: the captures end, and their folders go', async () => {
    const stop = new AbortController()
    const ends = [endOf(lab.plan, 'node1-pod1')!, endOf(lab.plan, '198.51.100.9')!] as const
    const trace = observe(lab.session, lab.plan, ...ends, {
      signal: stop.signal,
      onProgress: (state) => {
        if (state === 'one packet') void sleep(300).then(() => stop.abort())
      },
    })
    await expect(trace).rejects.toThrow('cancelled')
    await nothingLeft(lab)
  })

  test('without tcpdump the way is still told, and that nothing was captured', async () => {
    const host = 'node1'
    const path = (await lab.sh(host, 'command -v tcpdump')).trim()
    await lab.sh(host, `mount --bind /dev/null ${path}`)
    try {
      const { verdict, steps } = await traced(lab)
      expect(verdict.arrived).toBe(true)
      const wire = steps.find(({ topic }) => topic === 'wire')!
      expect(wire.packet).toBeUndefined()
      expect(wire.notCaptured).toContain('eth0')
    } finally {
      await lab.sh(host, `umount ${path}`)
    }
  })
})
