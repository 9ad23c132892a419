/** A host that restores its data plane by itself: the very files, run in a real kernel that has lost what they restore. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Name } from '../../inventory/values.ts'
import { applyChanges, diffState, probe, type HostPlan } from '../../modules/apply.ts'
import { restoredAtBoot } from '../../modules/boot.ts'
import { bootPaths, wishes } from '../../modules/boot/files.ts'
import { withBootFiles } from '../../modules/boot/restore.ts'
import { phases, tableOf } from '../../modules/module.ts'
import type { HostState } from '../../modules/state.ts'
import { planLab } from '../../overlay/plan.ts'
import { backends, hostsOf, inventoryOf } from '../support/inventory.ts'
import { kernel, sessionOf, type Kernel } from '../support/kernel.ts'
import { hostState } from './states.ts'

let machine: Kernel
let session: Parameters<typeof probe>[0]

beforeAll(async () => {
  machine = await kernel()
  // An /etc of its own, and no way to this computer's systemd: its sockets were in /run.
  await machine.sh(
    `mkdir /run/etc; mount -t tmpfs etc /run/etc; mkdir /run/etc/upper /run/etc/work
     mount -t overlay etc -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work /etc
     ip link add eth0 type veth peer name far0; ip addr add 192.168.77.1/24 dev eth0; ip link set eth0 up; ip link set far0 up
     iptables -A FORWARD -s 10.9.9.9 -j DROP; iptables -t nat -L >/dev/null`,
  )
  session = sessionOf(machine)
})
afterAll(() => machine?.close())

const boot = tableOf([restoredAtBoot])
const planOf = (desired: HostState, prior: HostState): HostPlan =>
  withBootFiles({ desired, prior, facts: { nic: 'eth0', iptables: 'auto' } }, 'lab test, of somebody')

async function bringTo(desired: HostState, prior: HostState): Promise<void> {
  const plan = planOf(desired, prior)
  await applyChanges(session, diffState(await probe(session, plan), desired), plan, phases)
}
/** All that a reboot takes, and nothing of the disk. */
async function loseKernelState(held: HostState): Promise<void> {
  const plan = planOf({}, held)
  const changes = diffState(await probe(session, plan), {})
  await applyChanges(session, changes, plan, ['prepare', 'switch', 'sweep'])
}
const restore = () => machine.run('sh /etc/overlab/restore')
const drift = async (desired: HostState) =>
  diffState(await probe(session, planOf(desired, desired)), desired).map(
    ({ table, key }) => `${table} ${key}`,
  )

const planned = (name: keyof typeof backends): HostState => {
  const hosts = hostsOf(3).map((host) => ({
    ...host,
    machine: 'qemu' as const,
    persist: true as const,
    // Of the two, the one that needs no module in this computer's kernel.
    datapath: 'bpf' as const,
    impairments: { all: { rate: '100mbit' as const }, toward: {} },
  }))
  return planLab(inventoryOf({ backend: backends[name], hosts: hosts as never })).hosts['node1' as Name]!
    .state
}

const routes = ['routes 10.244.2.0/24', 'routes 10.244.3.0/24']
const pods = ['links cni0', 'iptables nat POSTROUTING flanneld masq', 'pods node1-pod1', 'pods node1-pod2']
/** As in docs/reboot.md: nothing tells a host without a daemon that a link is back. */
const losses: [string, Record<keyof typeof backends, string[]>][] = [
  [
    'ip link set eth0 down; ip link set eth0 up',
    { vxlan: [], 'vxlan-directrouting': routes, 'host-gw': routes, udp: ['routes 10.244.0.0/16'] },
  ],
  [
    'ip link set flannel.1 down; ip link set flannel.1 up',
    {
      vxlan: ['neighbours 10.244.2.0 dev flannel.1', 'neighbours 10.244.3.0 dev flannel.1', ...routes],
      'vxlan-directrouting': [],
      'host-gw': [],
      udp: [],
    },
  ],
  [
    'ip link set cni0 down; ip link set cni0 up',
    { vxlan: [], 'vxlan-directrouting': [], 'host-gw': [], udp: [] },
  ],
  [
    'ip link del cni0; iptables -t nat -F; ip netns del node1-pod1',
    { vxlan: pods, 'vxlan-directrouting': pods, 'host-gw': pods, udp: [...pods, 'routes 10.244.0.0/16'] },
  ],
]

describe.each(Object.keys(backends) as (keyof typeof backends)[])('%s', (name) => {
  const desired = planned(name)

  it('comes back from the files alone, again and again', async () => {
    await bringTo(desired, {})
    expect(await drift(desired)).toEqual([])
    const rules = await machine.sh('iptables-save | grep ^-A; tc filter show dev eth0 parent 7979: | wc -l')
    await loseKernelState(desired)
    expect((await drift(desired)).length).toBeGreaterThan(8)
    expect(await restore()).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await drift(desired)).toEqual([])
    expect(await restore()).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await drift(desired)).toEqual([])
    // Nothing is there twice.
    expect(await machine.sh('iptables-save | grep ^-A; tc filter show dev eth0 parent 7979: | wc -l')).toBe(
      rules,
    )
  })

  it.each(losses)('what a host lost is put back: %s', async (loss, lost) => {
    await bringTo(desired, {})
    await machine.run(loss)
    expect(await drift(desired)).toEqual(expect.arrayContaining(lost[name]))
    if (lost[name].length === 0) expect(await drift(desired)).toEqual([])
    expect(await restore()).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await drift(desired)).toEqual([])
  })

  it('is told where the disk differs, and mended; nothing stays when it is not wanted', async () => {
    await bringTo(desired, {})
    const held = async () => (await probe(session, planOf(desired, desired))).boot?.[restoredAtBoot.key]
    await machine.sh(`echo >>${bootPaths[0]}; rm ${bootPaths[1]} ${wishes[0]}`)
    expect(await held()).toBe(`${bootPaths[0]} differs, ${bootPaths[1]} is missing, not enabled`)
    await bringTo(desired, desired)
    expect(await held()).toBe(restoredAtBoot.line)
    await bringTo({}, desired)
    expect(
      await machine.sh(
        `for f in ${[...wishes, ...bootPaths].join(' ')} /etc/overlab; do [ ! -e $f ] || echo $f; done`,
      ),
    ).toBe('')
    expect((await machine.sh('ls /run/overlab-host')).split('\n')).toContain('owner')
    await machine.sh('rm -r /run/overlab-host')
  })
})

it('a disk that takes no more files is told, with what to do; the kernel has what it shall', async () => {
  const desired = planned('host-gw')
  await machine.sh('mkdir -p /etc/overlab; mount -t tmpfs -o size=4k tiny /etc/overlab')
  await expect(bringTo(desired, {})).rejects.toMatchObject({
    step: 'apply boot',
    hint: expect.stringContaining('persist: false') as string,
  })
  expect(await drift(desired)).toEqual(['boot overlab.service'])
  await machine.sh('umount /etc/overlab')
  await bringTo(desired, desired)
  expect(await drift(desired)).toEqual([])
  await bringTo({}, desired)
})

it('any state is restored', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(hostState, async (state) => {
      const desired = { ...state, boot }
      await bringTo(desired, {})
      const wanted = await drift(desired)
      await loseKernelState(desired)
      expect(await restore()).toEqual({ code: 0, stdout: '', stderr: '' })
      expect(await drift(desired)).toEqual(wanted)
      await bringTo({}, desired)
    }),
    { numRuns: 8 },
  )
})

it('what cannot be restored is told, and all the rest is there', async () => {
  const desired = planned('vxlan')
  await bringTo(desired, {})
  await loseKernelState(desired)
  // A batch of ip's ends at a line like the first, and goes on after one like the second.
  await machine.sh(
    "sed -i -e 's/^link add flannel.1/link add other type vxlan id 9 dev nowhere dstport 1\\n&/' -e 's/^neigh replace 10.244.2.0/neigh replace nonsense/' /etc/overlab/data-plane",
  )
  const { code, stderr } = await restore()
  expect(code).toBe(1)
  expect(stderr.trim().split('\n')).toEqual([
    'Cannot find device "nowhere"',
    expect.stringContaining('"nonsense"'),
  ])
  expect(await drift(desired)).toEqual(['neighbours 10.244.2.0 dev flannel.1', 'boot overlab.service'])
  await bringTo({}, desired)
})
