/** The modules against the real kernel, in a network namespace of their own. */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { applyChanges, diffState, probe, type HostPlan } from '../../modules/apply.ts'
import { phases, type Change, type Phase } from '../../modules/module.ts'
import type { HostState } from '../../modules/state.ts'
import { localSession, type LocalSession } from '../support/local-session.ts'
import { hostState } from './states.ts'

const facts = { nic: 'eth0', iptables: 'auto' } as const
const planOf = (desired: HostState, prior: HostState = {}): HostPlan => ({ desired, prior, facts })

let session: LocalSession
beforeAll(async () => {
  session = await localSession()
  // What others have put there: it must be the same at the end of every test.
  await session.sh(`
    ip link add foreign0 mtu 1300 type bridge; ip link set foreign0 up; ip addr add 10.99.0.1/24 dev foreign0
    ip link add vx9 type vxlan id 9 dev eth0 dstport 4790; ip link set vx9 up; ip addr add 10.98.0.1/24 dev vx9
    bridge fdb append 0a:58:0a:f4:09:09 dev vx9 dst 192.168.77.9
    ip neigh add 192.168.77.9 dev eth0 lladdr 0a:58:0a:f4:09:01 nud permanent
    ip route add 10.97.0.0/24 via 192.168.77.9; ip route add 10.96.0.0/24 via 192.168.77.9 proto static metric 5`)
})
afterAll(() => session?.remove())

async function up(desired: HostState, prior: HostState = {}): Promise<Change[]> {
  const plan = planOf(desired, prior)
  const changes = diffState(await probe(session, plan), desired)
  await applyChanges(session, changes, plan, phases)
  return changes
}

async function drift(desired: HostState, prior: HostState = desired): Promise<Change[]> {
  return diffState(await probe(session, planOf(desired, prior)), desired)
}

/** What the kernel says of everything that is not overlab's. */
async function foreign(): Promise<unknown> {
  const answers = await session.sh(`
    ip -4 -j addr show foreign0; ip -4 -j addr show vx9; ip -4 -j addr show eth0; bridge fdb show dev vx9
    ip -j neigh show dev eth0 nud permanent; ip route show table main | grep -v 'proto 79' | grep -v 'dev cni0\\|dev flannel'`)
  return answers.split('\n')
}

const full: HostState = {
  links: {
    'flannel.1':
      'vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning mtu 1450 address 0a:58:0a:f4:00:01',
    cni0: 'bridge mtu 1450 address 0a:58:0a:f4:01:01',
  },
  addresses: {
    '10.244.1.0/32 dev flannel.1': 'scope global',
    '10.244.1.1/24 dev cni0': 'brd 10.244.1.255 scope global',
  },
  neighbours: {
    '10.244.2.0 dev flannel.1': 'lladdr 0a:58:0a:f4:00:02',
    '10.244.3.0 dev flannel.1': 'lladdr 0a:58:0a:f4:00:03',
  },
  fdb: {
    '0a:58:0a:f4:00:02 dev flannel.1': 'dst 192.168.77.2',
    '0a:58:0a:f4:00:03 dev flannel.1': 'dst 192.168.77.3',
  },
  sysctls: { 'net/ipv4/ip_forward': '1', 'net/ipv6/conf/flannel.1/accept_ra': '0' },
  routes: {
    '10.244.2.0/24': 'via 10.244.2.0 dev flannel.1 onlink',
    '10.244.3.0/24': 'via 10.244.3.0 dev flannel.1 onlink',
    '10.245.0.0/24': 'via 192.168.77.3 dev eth0 src 192.168.77.1',
  },
}

describe('any state after any other', () => {
  it('is reached by one apply, needs no second one, and leaves what is others alone', async () => {
    const before = await foreign()
    let prior: HostState = {}
    const cut = fc.option(fc.tuple(hostState, fc.constantFrom<Phase[]>(['prepare'], ['prepare', 'switch'])))
    await fc.assert(
      fc.asyncProperty(hostState, fc.boolean(), cut, async (desired, forgotten, interrupted) => {
        // An apply of another state that was killed on its way, and whose plan nobody wrote down.
        if (interrupted) {
          const plan = planOf(interrupted[0], prior)
          const changes = diffState(await probe(session, plan), plan.desired)
          await applyChanges(session, changes, plan, interrupted[1])
        }
        await up(desired, forgotten ? {} : prior)
        prior = desired
        expect(await drift(desired)).toEqual([])
        expect(await foreign()).toEqual(before)
      }),
      // Shrinking would start from the state that the failure left, and so mean nothing.
      { numRuns: 30, endOnFailure: true },
    )
    await up({}, prior)
    expect(await probe(session, planOf({}, {}))).toEqual({})
    expect(await foreign()).toEqual(before)
  }, 120_000)
})

describe('a built host', () => {
  beforeEach(async () => {
    await up(full)
  })
  afterAll(async () => {
    await up({}, full)
  })

  it('gets no script for a second apply', async () => {
    const scripts = session.scripts.length
    expect(await up(full, full)).toEqual([])
    expect(session.scripts.length - scripts).toBe(1) // the probe
  })

  const drifts: [string, string, string[]][] = [
    [
      'a deleted FDB entry',
      'bridge fdb del 0a:58:0a:f4:00:02 dev flannel.1',
      ['add fdb 0a:58:0a:f4:00:02 dev flannel.1'],
    ],
    [
      'a changed FDB entry',
      'bridge fdb replace 0a:58:0a:f4:00:02 dev flannel.1 dst 192.168.77.8',
      ['change fdb 0a:58:0a:f4:00:02 dev flannel.1: dst 192.168.77.8'],
    ],
    [
      'an FDB entry more',
      'bridge fdb add 0a:58:0a:f4:00:09 dev flannel.1 dst 192.168.77.8',
      ['delete fdb 0a:58:0a:f4:00:09 dev flannel.1: dst 192.168.77.8'],
    ],
    [
      'a deleted neighbour',
      'ip neigh del 10.244.2.0 dev flannel.1',
      ['add neighbours 10.244.2.0 dev flannel.1'],
    ],
    [
      'a neighbour that would time out',
      'ip neigh replace 10.244.2.0 dev flannel.1 lladdr 0a:58:0a:f4:00:02 nud noarp',
      ['change neighbours 10.244.2.0 dev flannel.1: lladdr 0a:58:0a:f4:00:02 noarp'],
    ],
    ['a deleted route', 'ip route del 10.244.3.0/24', ['add routes 10.244.3.0/24']],
    [
      "someone else's route in its place",
      'ip route replace 10.244.3.0/24 via 192.168.77.9 dev eth0 mtu lock 1200',
      ['change routes 10.244.3.0/24: via 192.168.77.9 dev eth0 mtu 1200'],
    ],
    [
      'a second route behind it',
      'ip route append 10.244.3.0/24 via 192.168.77.9 dev eth0',
      ['change routes 10.244.3.0/24: via 10.244.3.0 dev flannel.1 onlink and via 192.168.77.9 dev eth0'],
    ],
    [
      'a second route before it',
      'ip route prepend 10.244.3.0/24 via 192.168.77.9 dev eth0',
      ['change routes 10.244.3.0/24: via 192.168.77.9 dev eth0 and via 10.244.3.0 dev flannel.1 onlink'],
    ],
    [
      'a route of overlab that is not wanted',
      'ip route add 10.244.9.0/24 via 192.168.77.9 proto 79; ip route add blackhole 10.244.8.0/24 metric 7 proto 79',
      [
        'delete routes 10.244.8.0/24 metric 7: blackhole',
        'delete routes 10.244.9.0/24: via 192.168.77.9 dev eth0',
      ],
    ],
    [
      'a changed MTU',
      'ip link set flannel.1 mtu 1300',
      [
        'change links flannel.1: vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning mtu 1300 address 0a:58:0a:f4:00:01',
      ],
    ],
    ['a changed sysctl', 'echo 0 >/proc/sys/net/ipv4/ip_forward', ['change sysctls net/ipv4/ip_forward: 0']],
    ['a deleted address', 'ip addr del 10.244.1.1/24 dev cni0', ['add addresses 10.244.1.1/24 dev cni0']],
    [
      'an address without its broadcast',
      'ip addr del 10.244.1.1/24 dev cni0; ip addr add 10.244.1.1/24 dev cni0',
      ['change addresses 10.244.1.1/24 dev cni0: scope global'],
    ],
    [
      'a bridge that speaks STP',
      'ip link set cni0 type bridge stp_state 1',
      ['change links cni0: bridge stp_state 1 mtu 1450 address 0a:58:0a:f4:01:01'],
    ],
    [
      'a device taken down, which loses its routes and neighbours',
      'ip link set flannel.1 down',
      [
        'change links flannel.1: vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning mtu 1450 address 0a:58:0a:f4:00:01 down',
        'add neighbours 10.244.2.0 dev flannel.1',
        'add neighbours 10.244.3.0 dev flannel.1',
        'add routes 10.244.2.0/24',
        'add routes 10.244.3.0/24',
      ],
    ],
    [
      'another MAC, with which the kernel forgets the neighbours',
      'ip link set flannel.1 address 0a:58:0a:f4:00:77',
      [
        'change links flannel.1: vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning mtu 1450 address 0a:58:0a:f4:00:77',
        'add neighbours 10.244.2.0 dev flannel.1',
        'add neighbours 10.244.3.0 dev flannel.1',
      ],
    ],
    [
      'a deleted device, with all that was on it',
      'ip link del flannel.1',
      [
        'add links flannel.1',
        'add addresses 10.244.1.0/32 dev flannel.1',
        'add neighbours 10.244.2.0 dev flannel.1',
        'add neighbours 10.244.3.0 dev flannel.1',
        'add fdb 0a:58:0a:f4:00:02 dev flannel.1',
        'add fdb 0a:58:0a:f4:00:03 dev flannel.1',
        'add sysctls net/ipv6/conf/flannel.1/accept_ra',
        'add routes 10.244.2.0/24',
        'add routes 10.244.3.0/24',
      ],
    ],
  ]
  it.for(drifts)('finds and restores %s, and that alone', async ([, damage, expected]) => {
    const before = await foreign()
    await session.sh(damage)
    const found = await drift(full)
    expect(found.map(told)).toEqual(expected)
    await up(full, full)
    expect(await drift(full)).toEqual([])
    expect(await foreign()).toEqual(before)
  })

  it('is taken over from others without a change, and deleted by what overlab knows of it', async () => {
    await up({}, full)
    // As a killed flanneld leaves it: no alias, protocol boot, no tag on the neighbours.
    await session.sh(`
      ip link add flannel.1 address 0a:58:0a:f4:00:01 mtu 1450 txqueuelen 0 type vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning
      ip link set flannel.1 up; ip addr add 10.244.1.0/32 dev flannel.1; echo 0 >/proc/sys/net/ipv6/conf/flannel.1/accept_ra
      ip link add cni0 address 0a:58:0a:f4:01:01 mtu 1450 type bridge; ip link set cni0 up; ip addr add 10.244.1.1/24 brd + dev cni0
      for n in 2 3; do
        ip neigh add 10.244.$n.0 dev flannel.1 lladdr 0a:58:0a:f4:00:0$n nud permanent
        bridge fdb add 0a:58:0a:f4:00:0$n dev flannel.1 dst 192.168.77.$n
        ip route add 10.244.$n.0/24 via 10.244.$n.0 dev flannel.1 onlink
      done
      ip route add 10.245.0.0/24 via 192.168.77.3 dev eth0 src 192.168.77.1`)
    expect(await drift(full, {})).toEqual([])
    await up({}, full)
    expect(await session.sh('ip -o link show; ip route; ip neigh')).not.toMatch(/flannel|cni0|10\.24[45]/)
  })

  it('is cut in one apply when its port changes, and is whole afterwards', async () => {
    const moved = {
      ...full,
      links: { ...full.links, 'flannel.1': full.links!['flannel.1']!.replace('8472', '8473') },
    }
    const changes = await up(moved, full)
    expect(changes.filter((change) => change.op === 'change').map((change) => change.key)).toEqual([
      'flannel.1',
    ])
    expect(await drift(moved)).toEqual([])
  })
})

describe('a failure', () => {
  it.for<[string, HostState, Partial<Record<string, unknown>>]>([
    [
      'of ip',
      { routes: { '10.1.0.0/24': 'via 192.168.77.2 dev eth0', '10.2.0.0/24': 'via 172.16.0.1 dev eth0' } },
      {
        step: 'apply routes',
        object: 'routes["10.2.0.0/24"]',
        command: 'ip -batch -: route replace 10.2.0.0/24 via 172.16.0.1 dev eth0 proto 79',
      },
    ],
    [
      'of bridge',
      { fdb: { '0a:58:0a:f4:00:02 dev nope': 'dst 192.168.77.2' } },
      {
        step: 'apply fdb',
        object: 'fdb["0a:58:0a:f4:00:02 dev nope"]',
        hint: 'there is no link nope on the host; was it removed or renamed?',
      },
    ],
    [
      'of a sysctl',
      { sysctls: { 'net/ipv4/ip_forward': '1', 'net/ipv4/conf/nope/forwarding': '1' } },
      { step: 'apply sysctls', object: 'sysctls["net/ipv4/conf/nope/forwarding"]' },
    ],
    [
      'among merged tables',
      {
        links: { cni0: full.links!['cni0']! },
        addresses: { '10.9.9.1/24 dev nope': 'brd 10.9.9.255 scope global' },
      },
      { step: 'apply addresses', object: 'addresses["10.9.9.1/24 dev nope"]', exitCode: 1 },
    ],
  ])('%s names the object', async ([, desired, expected]) => {
    const failure = await up(desired).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'HostError', host: 'node1', ...expected })
    expect((failure as { stderr: string }).stderr).toMatch(/\S/)
    await up({}, desired)
  })
})

function told(change: Change): string {
  return `${change.op} ${change.table} ${change.key}${change.op === 'add' ? '' : `: ${change.from}`}`
}
