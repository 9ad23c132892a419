/** The way back from a change that was cut anywhere, in a real kernel: every backend to every other, and from nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyChanges, diffState, probe, type HostPlan } from '../../modules/apply.ts'
import { scriptOf, stepsOf } from '../../modules/apply-script.ts'
import { phases } from '../../modules/module.ts'
import type { HostState } from '../../modules/state.ts'
import { undoLines } from '../../modules/undo.ts'
import { planLab } from '../../overlay/plan.ts'
import type { Name } from '../../inventory/values.ts'
import { backends, hostsOf, inventoryOf } from '../support/inventory.ts'
import { kernel, sessionOf, type Kernel } from '../support/kernel.ts'

let machine: Kernel
let session: Parameters<typeof probe>[0]

/** All that the network of this machine is; what changes by itself and iptables' empty tables aside. */
const everything = () =>
  machine
    .sh(
      `ip -o link | cut -d' ' -f2- | sed 's/ state [A-Z]*//' ; ip -4 -o addr | cut -d' ' -f2-; ip route; ip neigh show nud permanent; bridge fdb show | grep dst || :; iptables-save | grep '^-A'; tc filter show dev eth0 ingress | sed 's/ id [0-9]*//'; cat /proc/sys/net/ipv4/ip_forward; ls /run/netns`,
    )
    .then((lines) => lines.split('\n').sort().join('\n'))

beforeAll(async () => {
  machine = await kernel()
  await machine.sh(
    'ip link add eth0 type veth peer name far0; ip addr add 192.168.77.1/24 dev eth0; ip link set eth0 up; ip link set far0 up; iptables -A FORWARD -s 10.9.9.9 -j DROP; iptables -t nat -L >/dev/null; ip route add 172.16.5.0/24 dev eth0; mkdir -p /run/netns; echo 0 >/proc/sys/net/ipv4/ip_forward',
  )
  session = sessionOf(machine)
})
afterAll(() => machine?.close())

const planned = (name: keyof typeof backends): HostState =>
  planLab(inventoryOf({ backend: backends[name], hosts: hostsOf(3) })).hosts['node1' as Name]!.state
const planOf = (desired: HostState, prior: HostState): HostPlan => ({
  desired,
  prior,
  facts: { nic: 'eth0', iptables: 'auto' },
})

async function bringTo(desired: HostState, prior: HostState): Promise<void> {
  const plan = planOf(desired, prior)
  await applyChanges(session, diffState(await probe(session, plan), desired), plan, phases)
}

const cases = [
  [undefined, 'vxlan'],
  [undefined, 'udp'],
  ['vxlan', 'host-gw'],
  ['host-gw', 'vxlan'],
  ['vxlan', 'udp'],
  ['udp', 'vxlan'],
] as const

describe.each(cases)('from %s to %s', (from, to) => {
  it('is undone wherever it was cut', async () => {
    const [first, second] = [from ? planned(from) : {}, planned(to)]
    await bringTo(first, {})
    const plan = planOf(second, first)
    const held = await probe(session, plan)
    const before = await everything()
    const undo = undoLines(held, plan).join('\n')
    const steps = stepsOf(diffState(held, second), plan, phases)
    expect(steps.length).toBeGreaterThan(2)
    for (let done = 1; done <= steps.length; done++) {
      // The last step in half, as a tool that is killed leaves it; iptables does all of a table or nothing.
      const last = steps[done - 1]!
      const half = last.command.includes('iptables')
        ? []
        : last.lines.slice(0, Math.ceil(last.lines.length / 2))
      await machine.run(scriptOf([...steps.slice(0, done - 1), { ...last, lines: half }]))
      await machine.run(undo)
      expect(await everything(), `cut in step ${done} of ${steps.length}: ${last.command}`).toBe(before)
    }
    await bringTo(second, first)
    expect(await everything()).not.toBe(before)
    await machine.run(undo)
    expect(await everything(), 'cut at the end').toBe(before)
    await bringTo({}, { ...first, ...second })
  }, 120_000)
})
