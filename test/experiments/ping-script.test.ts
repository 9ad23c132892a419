/** The ping script under a real sh with real pings, and what its output means. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseReach, reachScript } from '../../experiments/ping-script.ts'
import { measureReach, type Endpoint } from '../../experiments/reach.ts'
import type { Ip, Name } from '../../inventory/values.ts'
import { HostError } from '../../remote/errors.ts'
import type { Target } from '../../remote/target.ts'
import { kernel, type Kernel } from '../support/kernel.ts'

const endpoint = (name: string, address: string, host = name): Endpoint => ({
  name: name as Name,
  kind: name === host ? 'host' : 'pod',
  address: address as Ip,
  host: host as Name,
})
const node1 = endpoint('node1', '10.1.0.1')
const pod = endpoint('node1-pod1', '10.1.0.2', 'node1')
const missing = endpoint('node1-pod2', '10.1.0.3', 'node1')
const silent = endpoint('node2', '10.1.0.9')
const noRoute = endpoint('node3', '10.3.0.1')

describe('in a network namespace with a pod', () => {
  let on: Kernel
  beforeAll(async () => {
    on = await kernel()
    await on.sh(
      `ip netns add ${pod.name}; ip link add v type veth peer name eth0 netns ${pod.name}; ip addr add 10.1.0.1/24 dev v; ip link set v up
       ip -n ${pod.name} addr add 10.1.0.2/24 dev eth0; ip -n ${pod.name} link set eth0 up`,
    )
  })
  afterAll(() => on.close())

  const measure = async (sources: Endpoint[], all: Endpoint[], before = '') =>
    parseReach(await on.sh(before + reachScript(sources, all, { count: 2, interval: 0.01 })), sources, all)

  test('host and pod reach each other; the answer has both ways and real times', async () => {
    const reaches = await measure([node1, pod], [node1, pod])
    expect(reaches.map(({ from, to, sent, received }) => [from.name, to.name, sent, received])).toEqual([
      ['node1', 'node1-pod1', 2, 2],
      ['node1-pod1', 'node1', 2, 2],
    ])
    for (const { rtt } of reaches) expect(rtt!.min).toBeGreaterThan(0)
  })

  test('nobody answers: all is lost, and there is no time', async () => {
    expect(await measure([node1], [node1, silent])).toEqual([
      { from: node1, to: silent, sent: 2, received: 0 },
    ])
  })

  test('a part is lost', async () => {
    await on.sh(
      `ip netns exec ${pod.name} iptables -A INPUT -p icmp -m statistic --mode nth --every 2 --packet 0 -j DROP`,
    )
    const [reach] = await measure([node1], [node1, pod])
    await on.sh(`ip netns exec ${pod.name} iptables -F INPUT`)
    expect(reach).toMatchObject({ sent: 2, received: 1 })
  })

  test('no route: not measured, in ping’s own words', async () => {
    const [reach] = await measure([node1], [node1, noRoute])
    expect(reach).toEqual({
      from: node1,
      to: noRoute,
      sent: 0,
      received: 0,
      notMeasured: 'ping: connect: Network is unreachable',
    })
  })

  test('a pod that is not there is not measured; its neighbours are', async () => {
    const reaches = await measure([node1, missing, pod], [node1, pod, missing])
    const of = (from: string, to: string) =>
      reaches.find((one) => one.from.name === from && one.to.name === to)
    expect(of('node1-pod2', 'node1')).toMatchObject({
      sent: 0,
      notMeasured: 'Cannot open network namespace "node1-pod2": No such file or directory',
    })
    expect(of('node1-pod1', 'node1')).toMatchObject({ sent: 2, received: 2 })
    expect(of('node1', 'node1-pod1')).toMatchObject({ sent: 2, received: 2 })
  })

  test('no ping on the host: not measured, never a zero', async () => {
    const [reach] = await measure(
      [node1],
      [node1, pod],
      'mkdir -p /run/bin; for t in sh tail tr; do ln -sf "$(command -v $t)" /run/bin/; done; PATH=/run/bin\n',
    )
    expect(reach?.notMeasured).toMatch(/ping: not found/)
    expect(reach?.rtt).toBeUndefined()
  })

  test('more pairs than run at once all get their own line', async () => {
    const many = Array.from({ length: 20 }, (_, index) => endpoint(`far${index}`, `10.1.0.${100 + index}`))
    await on.sh(many.map(({ address }) => `ip -n ${pod.name} addr add ${address}/24 dev eth0`).join('\n'))
    const reaches = await measure([node1], [node1, ...many])
    expect(reaches.map(({ to, received }) => [to.name, received])).toEqual(many.map(({ name }) => [name, 2]))
  })
})

describe("BusyBox 1.35's words", () => {
  const said = (words: string) =>
    parseReach(`# node1\nnode1 10.1.0.9 ${words}\n`, [node1], [node1, silent])[0]
  test.each([
    [
      '--- 10.1.0.9 ping statistics --- 3 packets transmitted, 3 packets received, 0% packet loss round-trip min/avg/max = 0.101/0.103/0.106 ms',
      { sent: 3, received: 3, rtt: { min: 0.101, avg: 0.103, max: 0.106 } },
    ],
    [
      '--- 10.1.0.9 ping statistics --- 2 packets transmitted, 1 packets received, 50% packet loss round-trip min/avg/max = 0.083/0.083/0.083 ms',
      { sent: 2, received: 1, rtt: { min: 0.083, avg: 0.083, max: 0.083 } },
    ],
    [
      ' --- 10.1.0.9 ping statistics --- 2 packets transmitted, 0 packets received, 100% packet loss',
      { sent: 2, received: 0 },
    ],
    [
      'PING 10.1.0.9 (10.1.0.9): 56 data bytes ping: sendto: Network is unreachable',
      { sent: 0, received: 0, notMeasured: 'ping: sendto: Network is unreachable' },
    ],
  ])('%s', (words, reach) => expect(said(words)).toEqual({ from: node1, to: silent, ...reach }))
})

test('a host that can not be asked is not measured; the order is that of the endpoints', async () => {
  const session = {
    target: { name: 'node1' } as Target,
    run: () =>
      Promise.resolve({
        stdout:
          '# node1\nnode1 10.1.0.9 3 packets transmitted, 3 received, 0% packet loss, time 2ms rtt min/avg/max/mdev = 0.010/0.020/0.030/0.001 ms ',
        stderr: '',
        exitCode: 0,
      }),
  }
  const told: string[] = []
  const reaches = await measureReach(
    (host) =>
      host === 'node1'
        ? Promise.resolve(session)
        : Promise.reject(new HostError({ host, step: 'connect', why: 'its machine does not run' })),
    [silent, node1],
    { onProgress: (done, of) => told.push(`${done}/${of}`) },
  )
  expect(reaches).toEqual([
    {
      from: silent,
      to: node1,
      sent: 0,
      received: 0,
      notMeasured: 'node2: connect: its machine does not run',
    },
    { from: node1, to: silent, sent: 3, received: 3, rtt: { min: 0.01, avg: 0.02, max: 0.03 } },
  ])
  expect(told).toEqual(['1/2', '2/2'])
})

test('a script that fails is that host’s failure, and a fault of the program is not hidden', async () => {
  const failing = {
    target: { name: 'node1' } as Target,
    run: () => Promise.resolve({ stdout: '', stderr: 'no', exitCode: 2 }),
  }
  const reaches = await measureReach(() => Promise.resolve(failing), [node1, silent])
  expect(reaches[0]?.notMeasured).toBe('node1: ping: the script failed')
  await expect(measureReach(() => Promise.reject(new TypeError('x')), [node1, silent])).rejects.toThrow(
    TypeError,
  )
})
