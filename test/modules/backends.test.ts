/** One host of a planned lab through every backend and back, by all modules, in a real kernel. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { applyChanges, diffState, probe, type HostPlan } from '../../modules/apply.ts'
import { phases, type Change } from '../../modules/module.ts'
import type { HostState } from '../../modules/state.ts'
import { planLab } from '../../overlay/plan.ts'
import type { Name } from '../../inventory/values.ts'
import { backends, hostsOf, inventoryOf } from '../support/inventory.ts'
import { kernel, sessionOf, type Kernel } from '../support/kernel.ts'
import { makeNic } from '../support/nic.ts'

let machine: Kernel
let session: Parameters<typeof probe>[0]
let empty: string

/** All that the network of this machine is; iptables' empty tables and mount's own folder aside. */
const everything = () =>
  machine.sh(
    `ip -o link | cut -d' ' -f2- ; ip -4 -o addr | cut -d' ' -f2-; ip route; ip neigh show nud permanent; bridge fdb show dev eth0 | grep dst || :; iptables-save | grep '^-A'; tc qdisc show; ls /run/netns /run | grep -v '^mount$'`,
  )

beforeAll(async () => {
  machine = await kernel()
  await machine.sh(`${makeNic}iptables -A FORWARD -s 10.9.9.9 -j DROP; iptables -t nat -L >/dev/null`)
  session = sessionOf(machine)
  empty = await everything()
})
afterAll(() => machine?.close())

const planned = (name: keyof typeof backends, mtu = 1500): HostState =>
  planLab(inventoryOf({ backend: backends[name], lab: { mtu }, hosts: hostsOf(3) })).hosts['node1' as Name]!
    .state
const planOf = (desired: HostState, prior: HostState): HostPlan => ({
  desired,
  prior,
  facts: { nic: 'eth0', iptables: 'auto' },
})

async function up(desired: HostState, prior: HostState): Promise<Change[]> {
  const plan = planOf(desired, prior)
  const changes = diffState(await probe(session, plan), desired)
  for (const phase of phases) await applyChanges(session, changes, plan, [phase])
  return changes
}

it('every backend after every other holds at once, and nothing is left in the end', async () => {
  let prior: HostState = {}
  for (const name of [
    'vxlan',
    'host-gw',
    'udp',
    'vxlan',
    'vxlan-directrouting',
    'udp',
    'host-gw',
    'vxlan',
  ] as const) {
    const desired = planned(name)
    // The state before may be lost, as after an interrupted run: what carries a tag or is on overlab's links is found.
    expect(await up(desired, name === 'udp' ? {} : prior), name).not.toEqual([])
    expect(await up(desired, desired), `${name} again`).toEqual([])
    prior = desired
  }
  await up({}, prior)
  expect(await everything()).toEqual(empty)
}, 60_000)

it('an underlay too narrow for IPv6, and back', async () => {
  let prior: HostState = {}
  for (const mtu of [626, 1500, 1300, 1500]) {
    const desired = planned('vxlan', mtu)
    expect(await up(desired, prior), `MTU ${mtu}`).not.toEqual([])
    expect(await up(desired, desired), `MTU ${mtu} again`).toEqual([])
    prior = desired
  }
  await up({}, prior)
  expect(await everything()).toEqual(empty)
}, 60_000)
