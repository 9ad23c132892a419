/** A running lab of three hosts changes its backend, phase by phase as a rollout does; pods ping all the while. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyChanges, diffState, probe, type HostPlan } from '../../modules/apply.ts'
import { phases } from '../../modules/module.ts'
import { planLab, type LabPlan } from '../../overlay/plan.ts'
import type { Session } from '../../remote/session.ts'
import type { Target } from '../../remote/target.ts'
import { backends, hostsOf, inventoryOf } from '../support/inventory.ts'
import { kernel, type Kernel } from '../support/kernel.ts'

const planOf = (backend: keyof typeof backends): LabPlan =>
  planLab(inventoryOf({ backend: backends[backend], hosts: hostsOf(3) }))
const names = Object.keys(planOf('vxlan').hosts)

let wire: Kernel
const hosts = new Map<string, Kernel>()
let held: LabPlan | undefined

beforeAll(async () => {
  wire = await kernel()
  await wire.sh('ip link add br0 type bridge; ip link set br0 up')
  for (const [name, { address }] of Object.entries(planOf('vxlan').hosts)) {
    const on = await kernel()
    hosts.set(name, on)
    await wire.sh(
      `ip link add ${name} type veth peer name eth0 netns ${on.pid}; ip link set ${name} master br0 up`,
    )
    await on.sh(`ip addr add ${address}/24 dev eth0; ip link set eth0 up`)
    // The kernel stops a NIC's transmission for some milliseconds to put the hook there (dev_deactivate in
    // qdisc_graft); where it is there from the start, a change to udp and back loses nothing.
    await on.sh('tc qdisc add dev eth0 clsact')
  }
})
afterAll(async () => {
  for (const one of [...hosts.values(), wire]) await one.close()
})

function session(name: string): Pick<Session, 'target' | 'run'> {
  return {
    target: { name } as Target,
    async run(script) {
      const { code, stdout, stderr } = await hosts.get(name)!.run(script)
      return { exitCode: code, stdout, stderr }
    },
  }
}

function planFor(name: string, wanted: LabPlan | undefined): HostPlan {
  const { nic, iptables } = planOf('vxlan').hosts[name]!
  return {
    desired: wanted?.hosts[name]!.state ?? {},
    prior: held?.hosts[name]!.state ?? {},
    facts: { nic, iptables },
  }
}

/** Returns how many changes it took. */
async function rollOut(wanted: LabPlan | undefined): Promise<number> {
  const plans = new Map(names.map((name) => [name, planFor(name, wanted)]))
  const changes = new Map(
    await Promise.all(
      names.map(async (name) => {
        const plan = plans.get(name)!
        return [name, diffState(await probe(session(name), plan), plan.desired)] as const
      }),
    ),
  )
  for (const phase of phases)
    await Promise.all(
      names.map((name) => applyChanges(session(name), changes.get(name)!, plans.get(name)!, [phase])),
    )
  held = wanted
  return [...changes.values()].flat().length
}

async function allReach(plan: LabPlan): Promise<void> {
  for (const from of names)
    for (const { pods } of Object.values(plan.hosts))
      for (const to of pods)
        for (const pod of plan.hosts[from]!.pods)
          await hosts.get(from)!.sh(`ip netns exec ${pod.name} ping -c1 -W2 ${to.address}`)
}

test.each([
  ['vxlan', 'udp'],
  ['udp', 'vxlan'],
  ['udp', 'host-gw'],
  ['host-gw', 'udp'],
  ['vxlan', 'host-gw'],
  ['host-gw', 'vxlan'],
] as const)('%s to %s loses no ping', async (before, after) => {
  await rollOut(planOf(before))
  await allReach(planOf(before))
  const [from, to] = names.map((name) => planOf(before).hosts[name]!.pods[0]!)
  const pings = hosts
    .get(names[0]!)!
    .sh(`ip netns exec ${from!.name} ping -i0.01 -c500 -W1 ${to!.address} | grep received`)
  expect(await rollOut(planOf(after))).toBeGreaterThan(0)
  expect(await pings).toContain('500 received')
  await allReach(planOf(after))
  expect(await rollOut(planOf(after))).toBe(0)
})

test('taken away, nothing is left', async () => {
  await rollOut(planOf('udp'))
  await rollOut(undefined)
  for (const on of hosts.values()) {
    expect((await on.sh('ip -o link | cut -d: -f2 | cut -d@ -f1 | xargs; ls /run/netns')).trim()).toBe(
      'lo eth0',
    )
    expect(
      await on.sh(
        'ip route show proto 79; iptables-save | grep FLANNEL || :; tc filter show dev eth0 ingress; ls -A /run | grep overlab || :',
      ),
    ).toBe('')
  }
})
