/** A running lab changes while every host's pod pings every other host's, and loses nothing. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lostPairs, makeLab, say, threeHosts, type LabForm, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

let project: Project
let lab: TestLab
const told: string[] = []
beforeAll(async () => {
  project = makeProject()
  lab = await makeLab(project, { backend: { Type: 'vxlan' } })
  await lab.up()
  for (const host of hosts) await lab.on(host, foreign)
})
afterAll(async () => {
  for (const line of told) say(line)
  await lab.destroy()
  project.remove()
})

const foreign = `
ip route add 10.99.1.0/24 dev eth0 proto static
ip neigh add 10.99.1.9 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
ip link add foreign0 type bridge
iptables -A FORWARD -s 10.99.1.0/24 -j ACCEPT
ip netns add foreign`
const foreignHeld = `
ip route show 10.99.1.0/24; ip neigh show nud permanent dev eth0; ls /sys/class/net | grep foreign
iptables -S FORWARD | grep 10.99; ls /run/netns | grep foreign`

const hosts = ['node1', 'node2', 'node3']

/** Pings between these three hosts from before to after the change; returns the lost ones of all. */
async function underPings(what: string, form: LabForm): Promise<number> {
  const losses = await lab.underLoad(() => {
    lab.describe(form)
    return lab.up()
  }, hosts)
  expect(losses).toHaveLength(6)
  for (const { pair, sent } of losses) expect(sent, pair).toBeGreaterThan(50)
  const sum = (key: 'sent' | 'lost') => losses.reduce((total, loss) => total + loss[key], 0)
  told.push(`${what}: ${sum('lost')} of ${sum('sent')} lost${describeLoss(losses)}`)
  say(told.at(-1)!)
  return sum('lost')
}

function describeLoss(losses: readonly { pair: string; lost: number }[]): string {
  const bad = losses.filter(({ lost }) => lost > 0)
  return bad.length > 0 ? ` (${bad.map(({ pair, lost }) => `${pair}: ${lost}`).join(', ')})` : ''
}

const vxlan = { backend: { Type: 'vxlan' } }
const changes: readonly (readonly [string, LabForm])[] = [
  ['vxlan to host-gw', { backend: { Type: 'host-gw' } }],
  ['host-gw to udp', { backend: { Type: 'udp' } }],
  ['udp to vxlan', vxlan],
  ['vxlan to udp', { backend: { Type: 'udp' } }],
  ['udp to host-gw', { backend: { Type: 'host-gw' } }],
  ['host-gw to vxlan', vxlan],
  ['MTU to 1400', { backend: { Type: 'vxlan', MTU: 1400 } }],
  ['MTU back', vxlan],
  ['DirectRouting on', { backend: { Type: 'vxlan', DirectRouting: true } }],
  ['DirectRouting off', vxlan],
  ['another VNI', { backend: { Type: 'vxlan', VNI: 7 } }],
  ['another VNI and Port', { backend: { Type: 'vxlan', VNI: 8, Port: 4789 } }],
  ['VNI and Port back', vxlan],
]

test.each(changes)('%s', async (what, form) => {
  const before = await lab.on('node2', foreignHeld)
  const lost = await underPings(what, form)
  expect(await lostPairs(lab)).toEqual([])
  expect(await lab.on('node2', foreignHeld)).toBe(before)
  expect(lost).toBe(0)
})

test('a host joins, and one leaves', async () => {
  const range = (nodes: string) => ({ ...vxlan, all: { ...threeHosts, hosts: { [nodes]: null } } })
  expect(await underPings('a host joins', range('node[1:4]'))).toBe(0)
  expect(await lostPairs(lab)).toEqual([])
  expect(await underPings('a host leaves', range('node[1:3]'))).toBe(0)
  expect(await lostPairs(lab)).toEqual([])
  expect(await lab.on('node1', 'ip route show 10.244.4.0/24; bridge fdb show | grep -F .4 || :')).toBe('')
})

test('another Port, for which the kernel wants another device of the same name', async () => {
  await underPings('another Port', { backend: { Type: 'vxlan', Port: 4789 } })
  expect(await lostPairs(lab)).toEqual([])
})
