/**
 * udp by FOU in a VM, whose kernel has it, beside udp by BPF and a real flanneld's: all reach all, and the wire carries
 * what flannel's does. (FOU has a form that sends plain IPIP, by which pings pass too.)
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeLab, type LabForm, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

let project: Project
let lab: TestLab
const form = (vm: object = {}): LabForm => ({
  backend: { Type: 'udp' },
  all: {
    hosts: {
      node1: { machine: 'qemu', ...vm },
      node2: null,
      node3: { control: 'flanneld' },
    },
  },
})
beforeAll(async () => {
  project = makeProject()
  lab = await makeLab(project, form())
}, 60_000)
afterAll(async () => {
  await lab?.destroy()
  project?.remove()
}, 120_000)

/** What goes over the VM's wire while a command runs, as tcpdump prints it, in hexadecimal. */
async function wire(host: string, command: string): Promise<string> {
  const vm = `${lab.net}.1`
  return lab.on(
    host,
    `tcpdump -lnn -x -i eth0 'host ${vm} and (ip proto 4 or udp port 8285)' >/run/wire 2>/run/wire.log & pid=$!
     until grep -q 'listening on' /run/wire.log; do kill -0 $pid; sleep 0.1; done
     ${command} >/dev/null
     sleep 1; kill $pid; wait $pid || :; cat /run/wire`,
  )
}

/** Bytes that arrived by TCP, from pod to pod; none where checksums are wrong. */
async function passed(from: number, to: number): Promise<number> {
  await lab.inPod(`node${to}-pod1`, 'timeout 60 iperf3 -s -1 -D; sleep 1')
  const said = await lab.inPod(`node${from}-pod1`, `timeout 50 iperf3 -J -t 2 -c 10.244.${to}.2`)
  return (JSON.parse(said) as { end: { sum_received: { bytes: number } } }).end.sum_received.bytes
}

/** The pairs of pods, one of them the VM's, of which no packet gets an answer. An emulated CPU may take seconds for one. */
async function cutPairs(): Promise<string[]> {
  const pairs = [
    [1, 2],
    [2, 1],
    [1, 3],
    [3, 1],
  ] as const
  const cut: string[] = []
  for (const [from, to] of pairs) {
    const said = await lab.inPod(`node${from}-pod1`, `ping -n -c 5 -i 0.3 -W 10 10.244.${to}.2 || :`)
    if (!/ [1-5] received/.test(said)) cut.push(`node${from} to node${to}: ${said}`)
  }
  return cut
}

test('the VM gets fou, since its kernel has it; all reach all', async () => {
  const before = await lab.overlab('plan', 'node1')
  expect(before.stdout).toContain('datapath fou (auto: ')
  await lab.up()
  expect(await lab.on('node1', 'ip fou show')).toContain('port 8285 ipproto 4')
  expect(await lab.on('node1', 'tc filter show dev eth0 ingress')).toBe('')
  expect(await lab.on('node2', 'ip route show 10.244.0.0/16')).toContain('encap bpf')
  expect(await cutPairs()).toEqual([])
}, 600_000)

test.each([2, 3])(
  'between the VM and node%i the wire carries bare packets in UDP, and nothing else',
  async (peer) => {
    const packets = (
      await wire(`node${peer}`, `ip netns exec node${peer}-pod1 ping -n -c 3 -i 0.2 -W 5 10.244.1.2`)
    )
      .split(/^(?=\d\d:\d\d)/m)
      .filter((text) => text.trim() !== '')
    expect(packets.length).toBeGreaterThanOrEqual(6)
    for (const packet of packets) {
      expect(packet).toMatch(/IP (\S+)\.8285 > (\S+)\.8285: UDP/)
      const bytes = [...packet.matchAll(/^\s+0x[0-9a-f]+:\s+(.*)$/gm)]
        .map(([, hex]) => hex)
        .join('')
        .replaceAll(/\s/g, '')
      // Outer IPv4 20 bytes, UDP 8; then the inner header: version 4, five words.
      expect(bytes.slice(0, 2)).toBe('45')
      expect(bytes.slice(18, 20)).toBe('11')
      expect(bytes.slice(56, 58)).toBe('45')
    }
  },
  60_000,
)

test('TCP passes both ways, between fou and bpf, and between fou and flanneld', async () => {
  for (const [from, to] of [
    [1, 2],
    [2, 1],
    [1, 3],
    [3, 1],
  ] as const)
    expect(await passed(from, to), `node${from} to node${to}`).toBeGreaterThan(50_000)
}, 200_000)

test('trace follows a packet from one datapath to the other', async () => {
  const { stdout } = await lab.overlab('trace', 'node1-pod1', 'node2-pod1')
  expect(stdout).toMatch(/flannel0 puts the packet into UDP: to \S+, port 8285/)
  expect(stdout).toMatch(/the FOU port 8285 is an IPv4 packet/)
  expect(stdout).not.toContain('broken')
}, 100_000)

test('packets of 1472 bytes pass whole, and no longer ones', async () => {
  const ping = (bytes: number) =>
    `ip netns exec node1-pod1 ping -n -M do -c 2 -i 0.2 -W 5 -s ${bytes - 28} 10.244.2.2 2>&1 || :`
  expect(await lab.on('node1', ping(1472))).toContain(' 2 received')
  expect(await lab.on('node1', ping(1473))).toContain(' 0 received')
}, 60_000)

test('a second up changes nothing, and drift of the way in is mended', async () => {
  expect(await lab.up()).not.toMatch(/\d+ (updated|created|deleted)/)
  await lab.on('node1', 'ip fou del port 8285')
  const { output } = await lab.overlab('preview')
  expect(output).toContain('node1: fou["8285"] is gone: ipproto 4')
  await lab.up()
  expect(await cutPairs()).toEqual([])
}, 200_000)
