/** What people do to a host by hand: one apply puts it right, all modules together, in a real kernel. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { applyChanges, diffState, probe, type HostPlan } from '../../modules/apply.ts'
import { phases, type Change } from '../../modules/module.ts'
import type { HostState } from '../../modules/state.ts'
import { planLab } from '../../overlay/plan.ts'
import { backends, hostsOf, inventoryOf } from '../support/inventory.ts'
import { kernel, type Kernel } from '../support/kernel.ts'
import { makeNic } from '../support/nic.ts'

const pins = '/run/overlab-bpf'
const acts = {
  vxlan: [
    'ip link set flannel.1 down',
    'ip link set flannel.1 address 02:00:00:00:00:99',
    'ip link set flannel.1 mtu 1000',
    'ip link set flannel.1 master cni0',
    'ip link del flannel.1; ip link add flannel.1 type vxlan id 1 dstport 4789 dev eth0',
    'ip link del flannel.1; ip link add flannel.1 type bridge',
    'ip link del cni0',
    'ip link set dev cni0 name br7',
    'ip link set cni0 mtu 600',
    'ip addr flush dev cni0',
    'ip addr del 10.244.1.1/24 dev cni0; ip addr add 10.244.1.1/16 dev cni0',
    'ip addr add 10.244.1.5 peer 10.244.1.6 dev flannel.1',
    'ip route replace unreachable 10.244.2.0/24',
    'ip route append 10.244.2.0/24 via 192.168.77.9 dev eth0 proto 79',
    'ip route replace 10.244.2.0/24 proto 79 nexthop via 192.168.77.9 dev eth0 nexthop via 192.168.77.8 dev eth0',
    'for host in 7 8; do bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst 192.168.77.$host; done',
    'iptables -F; iptables -X; iptables -t nat -F',
    'ip netns del node1-pod1',
  ],
  udp: [
    `umount ${pins}`,
    ...['config', 'peers', 'stats'].map((map) => `rm ${pins}/overlab_${map}`),
    `rm ${pins}/*-decap`,
    'tc qdisc del dev eth0 clsact',
    'tc qdisc del dev eth0 clsact; tc qdisc add dev eth0 ingress',
    `tc filter add dev eth0 ingress pref 7979 protocol all handle 9 bpf direct-action pinned ${pins}/*-decap`,
    `bpftool map update pinned ${pins}/overlab_peers key hex 18 00 00 00 0a f4 63 00 value hex 01 02 03 04`,
    'ip link set eth0 down; ip link set eth0 up',
  ],
} as const

let machine: Kernel
beforeEach(async () => {
  machine = await kernel()
  await machine.sh(makeNic)
})
afterEach(() => machine.close())

async function up(desired: HostState, prior: HostState): Promise<Change[]> {
  const session: Parameters<typeof probe>[0] = {
    target: { name: 'node1', host: '127.0.0.1', port: 22, user: 'root', identityFile: '', hostKey: '' },
    run: async (script) => {
      const { code, stdout, stderr } = await machine.run(script)
      return { exitCode: code, stdout, stderr }
    },
  }
  const plan: HostPlan = { desired, prior, facts: { nic: 'eth0', iptables: 'nft' } }
  const changes = diffState(await probe(session, plan), desired)
  for (const phase of phases) await applyChanges(session, changes, plan, [phase])
  return changes
}

describe.each(['vxlan', 'udp'] as const)('%s', (name) => {
  const desired = planLab(inventoryOf({ backend: backends[name], hosts: hostsOf(3) })).hosts['node1']!.state

  test.each(acts[name])('%s', async (act) => {
    await up(desired, {})
    await machine.sh(act)
    expect(await up(desired, desired)).not.toEqual([])
    expect(await up(desired, desired)).toEqual([])
    await up({}, desired)
    expect(await machine.sh('ip -o link show type vxlan; ip -o link show type bridge; ls /run/netns')).toBe(
      '',
    )
    expect(await machine.sh('ip route show proto 79; ls -d /run/overlab* 2>/dev/null || :')).toBe('')
  })
})

describe("what is someone else's stays, and the message says what is in the way", () => {
  const desired = planLab(inventoryOf({ hosts: hostsOf(2) })).hosts['node1']!.state

  test('a VXLAN device with the same VNI and port', async () => {
    await machine.sh('ip link add theirs type vxlan id 1 dstport 8472 dev eth0')
    await expect(up(desired, {})).rejects.toThrow('another link on the host has this VNI and port')
    await machine.sh('ip link del theirs')
    await up(desired, {})
    expect(await up(desired, desired)).toEqual([])
  })

  test("a rule that leads into flannel's chain", async () => {
    await up(desired, {})
    await machine.sh('iptables-nft -N THEIRS; iptables-nft -A THEIRS -j FLANNEL-FWD')
    expect(await up(desired, desired)).toEqual([])
    await expect(up({}, desired)).rejects.toThrow('a rule of someone else still leads into the chain')
    await machine.sh('iptables-nft -F THEIRS')
    await up({}, desired)
    expect(await up({}, desired)).toEqual([])
  })
})
