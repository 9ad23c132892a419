/** Impairments of links in a lab of the udp backend, whose own filter is on the same NIC. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lostPairs, makeLab, say, type LabForm, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

let project: Project
let lab: TestLab
const form = (impairments?: object): LabForm => ({
  backend: { Type: 'udp' },
  all: { hosts: { 'node[1:3]': null, node1: impairments ? { impairments } : null } },
})
beforeAll(async () => {
  project = makeProject()
  lab = await makeLab(project, form())
  await lab.up()
})
afterAll(async () => {
  await lab.destroy()
  project.remove()
})

/** What node2's pod gets from node1's in two seconds: bytes, and how long it took at the most. */
async function received(): Promise<{ bytes: number; seconds: number }> {
  await lab.on('node2', 'ip netns exec node2-pod1 timeout 20 iperf3 -s -1 -D; sleep 0.3')
  const printed = await lab.inPod(
    'node1-pod1',
    'date +%s.%N; timeout 15 iperf3 -J -t 2 -c 10.244.2.2 >/run/iperf.json; date +%s.%N; cat /run/iperf.json',
  )
  const [start = '', end = '', ...json] = printed.split('\n')
  const { end: sums } = JSON.parse(json.join('\n')) as { end: { sum_received: { bytes: number } } }
  return { bytes: sums.sum_received.bytes, seconds: Number(end) - Number(start) }
}

test('a rate is kept, and was not before', async () => {
  const free = await received()
  lab.describe(form({ rate: '20mbit', toward: { node3: { rate: '5mbit' } } }))
  await lab.up()
  const slow = await received()
  const mbit = ({ bytes, seconds }: typeof slow) => Math.round((bytes * 8) / seconds / 1e5) / 10
  say(`without impairment ${mbit(free)} Mbit/s, with 20mbit ${mbit(slow)} Mbit/s`)
  // A token bucket never passes more than its rate and one burst, however the machine is loaded.
  const most = (seconds: number) => (20e6 / 8) * seconds + 16_384
  expect(slow.bytes).toBeLessThan(most(slow.seconds))
  expect(slow.bytes).toBeGreaterThan(0)
  expect(free.bytes).toBeGreaterThan(most(free.seconds))
  expect(await lostPairs(lab)).toEqual([])
})

test('what overlab sends and gets itself is spared', async () => {
  const passed = async () =>
    [...(await lab.on('node1', 'tc -s qdisc show dev eth0')).matchAll(/^qdisc tbf.*\n Sent (\d+)/gm)].reduce(
      (sum, [, bytes]) => sum + Number(bytes),
      0,
    )
  const before = await passed()
  expect((await lab.on('node1', "head -c 2000000 /dev/zero | tr '\\0' x")).length).toBe(2_000_000)
  expect((await passed()) - before).toBeLessThan(100_000)
})

test('show names them; a second up changes nothing; drift is named and mended', async () => {
  const { stdout } = await lab.overlab('show', 'impairments', 'node1')
  expect(stdout).toContain('eth0 rate 20mbit')
  expect(stdout).toContain(`eth0 to ${lab.net}.2 subnet 10.244.2.0/24 shared`)
  expect(stdout).toContain(`eth0 to ${lab.net}.3 subnet 10.244.3.0/24 rate 5mbit`)
  expect(await lab.up()).toMatch(/\d+ unchanged/)
  await lab.on('node1', 'tc qdisc del dev eth0 parent 7979:ffff')
  const preview = await lab.overlab('preview')
  expect(preview.output).toContain('node1: impairments["eth0"] is gone: rate 20mbit')
  await lab.up()
  expect(await lab.on('node1', 'tc qdisc show dev eth0')).toContain('rate 20Mbit')
})

test('another rate takes the place of the first in the same qdisc', async () => {
  const handle = async () =>
    /tbf (\w+): parent 7979:ffff/.exec(await lab.on('node1', 'tc qdisc show dev eth0'))?.[1]
  const before = await handle()
  expect(before).toBeDefined()
  lab.describe(form({ rate: '40mbit', toward: { node3: { rate: '5mbit' } } }))
  await lab.up()
  expect(await handle()).toBe(before)
})

test('delay: as wanted where the kernel has netem, refused by its name elsewhere', async () => {
  const has = await lab.on(
    'node1',
    'unshare --net tc qdisc add dev lo root netem delay 1ms 2>/dev/null && echo yes || echo no',
  )
  lab.describe(form({ toward: { node2: { delay: '20ms' } } }))
  const { code, output } = await lab.overlab('up', '--yes', '--skip-preview')
  if (has === 'yes') {
    expect(code).toBe(0)
    const pings = await lab.inPod('node1-pod1', 'ping -n -c 3 -i 0.2 10.244.2.2')
    const times = [...pings.matchAll(/time=([\d.]+)/g)].map(([, ms]) => Number(ms))
    expect(Math.min(...times)).toBeGreaterThanOrEqual(20)
  } else {
    say('this kernel has no netem')
    expect(code).not.toBe(0)
    expect(output).toContain('the kernel has no sch_netem (CONFIG_NET_SCH_NETEM)')
    expect(output).toContain('node1: apply impairments')
  }
})

test('without the variable nothing is left of them, and the datapath stays', async () => {
  lab.describe(form())
  await lab.up()
  expect(await lab.on('node1', 'tc qdisc show dev eth0')).not.toMatch(/htb|tbf|netem/)
  expect(await lostPairs(lab)).toEqual([])
})
