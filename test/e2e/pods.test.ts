/** Pods as the kernel has them: made, mended, changed in place, removed, with a process running in one. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Cidr, IfName, Ip, Mac, Name } from '../../inventory/values.ts'
import { tableOf, type Row } from '../../modules/module.ts'
import { podModule, podRow, vethOf } from '../../modules/pod.ts'
import { apply, current, kernel, scope, type Kernel } from '../support/kernel.ts'

const pod = (number: number, changed: Partial<Parameters<typeof podRow>[0]> = {}): Row =>
  podRow({
    name: `node1-pod${number}` as Name,
    address: `10.244.53.${number + 1}` as Ip,
    subnet: '10.244.53.0/24' as Cidr,
    gateway: '10.244.53.1' as Ip,
    bridge: 'cni0' as IfName,
    mtu: 1450,
    mac: `0a:58:0a:f4:35:0${number + 1}` as Mac,
    ...changed,
  })

const desired = tableOf([pod(1), pod(2)])
const veth = vethOf('node1-pod1')
let on: Kernel
beforeEach(async () => {
  on = await kernel()
  await on.sh(
    'ip link add cni0 mtu 1450 type bridge; ip link set cni0 up; ip addr add 10.244.53.1/24 dev cni0',
  )
})
afterEach(() => on.close())

const ping =
  'ip netns exec node1-pod1 ping -c1 -W2 10.244.53.3; ping -c1 -W2 10.244.53.2; ip netns exec node1-pod1 ping -c1 -W1 127.0.0.1'

test('are made, reach each other and the host, and need nothing the second time', async () => {
  await apply(on, podModule, scope(desired))
  await on.sh(ping)
  expect(await current(on, podModule, scope(desired))).toEqual(desired)
  expect(await apply(on, podModule, scope(desired))).toEqual([])
  const host = JSON.parse(await on.sh(`ip -j -d link show ${veth}`)) as { ifalias: string; mtu: number }[]
  expect(host[0]).toMatchObject({ ifalias: 'overlab pod node1-pod1', mtu: 1450, master: 'cni0' })
})

test.each([
  ['the veth was deleted', `ip link del ${veth}`, 'no link'],
  [
    'the address was flushed',
    'ip -n node1-pod1 addr flush dev eth0',
    'no-address via nothing dev cni0 mtu 1450 address 0a:58:0a:f4:35:02',
  ],
  ['an address was added', 'ip -n node1-pod1 addr add 10.9.9.9/32 dev eth0', '10.244.53.2/24,10.9.9.9/32'],
  [
    'addresses of one prefix came before and after ours',
    'ip -n node1-pod1 addr del 10.244.53.2/24 dev eth0; for i in 7 2 8; do ip -n node1-pod1 addr add 10.244.53.$i/24 dev eth0; done',
    '10.244.53.7/24,10.244.53.2/24,10.244.53.8/24 via nothing',
  ],
  [
    'there are default routes of other metrics',
    'for metric in 7 8; do ip -n node1-pod1 route add default via 10.244.53.3 metric $metric; done',
    'via 10.244.53.1,10.244.53.3,10.244.53.3',
  ],
  ['the route is gone', 'ip -n node1-pod1 route del default', 'via nothing'],
  ['eth0 is down', 'ip -n node1-pod1 link set eth0 down', ' down'],
  ['the host end is down', `ip link set ${veth} down`, ' host-down'],
  ['lo is down', 'ip -n node1-pod1 link set lo down', ' lo-down'],
  ['the bridge lost it', `ip link set ${veth} nomaster`, 'dev nothing'],
  ['hairpin is on', `ip link set ${veth} type bridge_slave hairpin on`, ' hairpin'],
  ['the MTU of one end differs', `ip link set ${veth} mtu 1400`, ' host-mtu 1400'],
  [
    'the MAC differs',
    'ip -n node1-pod1 link set eth0 address 0a:00:00:00:00:01',
    'address 0a:00:00:00:00:01',
  ],
  ['the alias is gone', `ip link set ${veth} alias ""`, ' unowned'],
  [
    'the namespace was deleted',
    'ip netns del node1-pod1; while ip link show ' + veth + ' >/dev/null 2>&1; do sleep 0.05; done',
    undefined,
  ],
  [
    'a run was cut before the namespace',
    `ip netns del node1-pod1; while ip link show ${veth} >/dev/null 2>&1; do sleep 0.05; done; ip link add ${veth} type veth peer name pod${veth.slice(4)}`,
    'no namespace, loose link',
  ],
  [
    'a run was cut in ip netns add',
    `ip netns del node1-pod1; while ip link show ${veth} >/dev/null 2>&1; do sleep 0.05; done; : > /run/netns/node1-pod1; ip link add ${veth} type veth peer name pod${veth.slice(4)}`,
    'broken namespace, loose link',
  ],
  [
    'a run was cut before the move',
    `ip link del ${veth}; ip link add ${veth} type veth peer name pod${veth.slice(4)}`,
    'loose link',
  ],
])('%s: found and mended', async (_, act, says) => {
  await apply(on, podModule, scope(desired, desired))
  await on.sh(act)
  const [change, ...more] = await apply(on, podModule, scope(desired, desired))
  expect(more).toEqual([])
  expect(change).toMatchObject({ key: 'node1-pod1', op: says === undefined ? 'add' : 'change' })
  if (says !== undefined) expect(change).toHaveProperty('from', expect.stringContaining(says))
  expect(await current(on, podModule, scope(desired, desired))).toEqual(desired)
  await on.sh(ping)
})

test('MTU, MAC, address and bridge change in place; a process in the pod stays', async () => {
  await apply(on, podModule, scope(desired))
  const server = on.start('ip', 'netns', 'exec', 'node1-pod1', 'sleep', '1000')
  await on.sh(
    'ip link add cni1 mtu 1500 type bridge; ip link set cni1 up; ip addr add 10.244.60.1/24 dev cni1',
  )
  const namespace = await on.sh('stat -c %i /run/netns/node1-pod1')
  const before = await on.sh(
    `ip -n node1-pod1 -o link show eth0 | cut -d: -f1; cat /sys/class/net/${veth}/ifindex 2>/dev/null || ip -o link show ${veth} | cut -d: -f1`,
  )
  const next = tableOf([
    pod(1, {
      mtu: 1500,
      mac: '0a:58:0a:f4:3c:09' as Mac,
      bridge: 'cni1' as IfName,
      address: '10.244.60.9' as Ip,
      gateway: '10.244.60.1' as Ip,
    }),
    pod(2),
  ])
  await apply(on, podModule, scope(next, desired))
  expect(await current(on, podModule, scope(next, next))).toEqual(next)
  expect(await on.sh('stat -c %i /run/netns/node1-pod1')).toBe(namespace)
  expect(
    await on.sh(
      `ip -n node1-pod1 -o link show eth0 | cut -d: -f1; cat /sys/class/net/${veth}/ifindex 2>/dev/null || ip -o link show ${veth} | cut -d: -f1`,
    ),
  ).toBe(before)
  await on.sh('ping -c1 -W2 10.244.60.9; ip netns exec node1-pod1 ping -c1 -W2 10.244.60.1')
  expect(server.exitCode).toBeNull()
})

test('a change of MTU and MAC loses no ping', async () => {
  await apply(on, podModule, scope(desired))
  const pings = on.sh('ping -i0.01 -c150 -W1 10.244.53.2 | grep received')
  await on.sh('ip link set cni0 mtu 1500')
  let prior = desired
  for (const mtu of [1500, 1450, 1400]) {
    const next = tableOf([pod(1, { mtu }), pod(2, { mtu })])
    await apply(on, podModule, scope(next, prior))
    prior = next
  }
  expect(await pings).toContain('150 received')
})

test('a path MTU that a pod has learned is forgotten with a change of its MTU', async () => {
  await apply(on, podModule, scope(desired))
  await on.sh(
    'ip link add far type veth peer name far0; ip link set far up; ip link set far0 up; ip addr add 10.0.9.1/24 dev far; ip link set far mtu 1300; ip neigh add 10.0.9.2 lladdr 0a:00:00:00:00:09 dev far; echo 1 > /proc/sys/net/ipv4/ip_forward',
  )
  await on.run('ip netns exec node1-pod1 ping -c1 -W1 -M do -s 1400 10.0.9.2')
  expect(await on.sh('ip -n node1-pod1 route get 10.0.9.2')).toContain('mtu 1300')
  await on.sh('ip link set far mtu 1500; ip link set cni0 mtu 1500')
  await apply(on, podModule, scope(tableOf([pod(1, { mtu: 1500 }), pod(2)]), desired))
  expect(await on.sh('ip -n node1-pod1 route get 10.0.9.2')).not.toContain('mtu')
})

test('a pod that is not wanted goes, known or found by its alias; nothing is left', async () => {
  const before = await on.sh('ip -o link | cut -d: -f2; ls /run/netns')
  await apply(on, podModule, scope(desired))
  await apply(on, podModule, scope(tableOf([pod(2)]), {}))
  expect((await on.sh('ls /run/netns')).trim()).toBe('node1-pod2')
  await apply(on, podModule, scope({}, tableOf([pod(2)])))
  expect(await on.sh('ip -o link | cut -d: -f2; ls /run/netns')).toBe(before)
  expect(await apply(on, podModule, scope({}, desired))).toEqual([])
})

test("somebody else's namespace is never taken over, nor removed", async () => {
  await on.sh(
    'ip netns add node1-pod1; ip netns add other; ip link add vethother type veth peer name eth0 netns other',
  )
  await expect(apply(on, podModule, scope(desired))).rejects.toThrow(
    'there is a network namespace node1-pod1 that overlab did not make; rename the pod',
  )
  await apply(on, podModule, scope({}))
  expect(await on.sh('ls /run/netns')).toBe('node1-pod1\nother\n')
})
