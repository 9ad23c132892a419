/** The load: what pings' output means, and real pings that lose what a cut link makes them lose. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lossOf, parseLoad, requestsOf, type Request, type Stream } from '../../experiments/load-script.ts'
import { startLoad, underLoad, type StreamLoss } from '../../experiments/load.ts'
import type { Ip, Name } from '../../inventory/values.ts'
import { HostError } from '../../remote/errors.ts'
import type { Target } from '../../remote/target.ts'
import { kernel, type Kernel } from '../support/kernel.ts'

const answer = (at: string, seq: number, rtt: number) =>
  `[${at}] 64 bytes from 10.244.2.2: icmp_seq=${seq} ttl=62 time=${rtt} ms`
const silence = (at: string, seq: number) => `[${at}] no answer yet for icmp_seq=${seq}`

describe('the requests of one ping', () => {
  /** When each was sent, and when its answer came. */
  type Wanted = readonly (readonly [number, number?])[]
  const cases: readonly (readonly [string, readonly string[], Wanted])[] = [
    ['none', ['PING 10.244.2.2 (10.244.2.2) 56(84) bytes of data.'], []],
    ['answered', [answer('5.020', 1, 20), answer('5.030', 2, 5)], [[5000, 5020], [5025, 5030]]],
    ['a duplicate counts once', [answer('5.020', 1, 20), `${answer('5.030', 1, 30)} (DUP!)`], [[5000, 5020]]],
    ['lost: sent when ping told of the one before', [answer('5.000', 1, 0), silence('5.040', 2), answer('5.060', 4, 0)],
      [[5000, 5000], [5020], [5040], [5060, 5060]]],
    ['answered late is answered', [answer('5.000', 1, 0), silence('5.040', 2), answer('5.045', 2, 25), answer('5.050', 3, 10)],
      [[5000, 5000], [5020, 5045], [5040, 5050]]],
    ['lost from the start', [silence('5.010', 1), silence('5.020', 2)], [[5000], [5010], [5020]]],
    ['refused by its own device: each try counts', [answer('5.000', 1, 0), silence('5.020', 2), silence('5.030', 2), silence('5.040', 2), answer('5.050', 3, 10)],
      [[5000, 5000], [5020], [5020], [5030], [5040, 5050]]],
    ['those it could not send lie between', [answer('5.000', 1, 0), 'ping: sendmsg: Network is unreachable', answer('5.040', 5, 0)],
      [[5000, 5000], [5010], [5020], [5030], [5040, 5040]]],
    ['an ICMP error is no answer', [answer('5.000', 1, 0), '[5.011] From 10.244.1.1 icmp_seq=2 Destination Host Unreachable', silence('5.020', 2)],
      [[5000, 5000], [5010], [5020]]],
  ] // prettier-ignore
  test.each(cases)('%s', (_, lines, wanted) => {
    const found = requestsOf(`${lines.join('\n')}\n`)
    const round = (ms: number) => Math.round(ms)
    expect(
      found.map(({ at, answeredAt }) => (answeredAt === undefined ? [at] : [at, answeredAt]).map(round)),
    ).toEqual(wanted)
  })
})

describe('what a stream lost', () => {
  /** A request each 10 ms from 0 on, answered after 1 ms: `x` is lost, `q` waits in a queue until 500. */
  const requests = (pattern: string): Request[] =>
    [...pattern].map((one, index) => {
      const at = 10 * index
      return one === 'x' ? { at } : { at, answeredAt: one === 'q' ? 500 : at + 1 }
    })
  const cases: readonly (readonly [string, string, number, object])[] = [
    ['nothing', '.....', 50, { sent: 5, lost: 0, outageMs: 0, silentMs: 9 }],
    ['the longest of two', '..x..xxx..', 1000, { sent: 10, lost: 4, outageMs: 31, silentMs: 909 }],
    [
      'until what waited in a queue got out',
      '..qxxqq',
      1000,
      { sent: 7, lost: 2, outageMs: 480, silentMs: 500 },
    ],
    ['until now', '..xxx', 1000, { sent: 5, lost: 3, outageMs: 980, silentMs: 989 }],
    ['from the start', 'xxx..', 1000, { sent: 5, lost: 3, outageMs: 31, silentMs: 959 }],
    ['never an answer', 'xxx', 1000, { sent: 3, lost: 3, outageMs: 1000, silentMs: 1000 }],
    ['under way is neither sent nor lost', '...xx', 50, { sent: 3, lost: 0, outageMs: 0, silentMs: 29 }],
    ['nothing sent', '', 50, { notMeasured: 'ping has sent nothing yet' }],
  ]
  test.each(cases)('%s', (_, pattern, now, wanted) => {
    expect(lossOf(requests(pattern), now)).toEqual(wanted)
  })
})

const stream = (from: string, host: string, to: string, address: string): Stream => ({
  from: { name: from as Name, host: host as Name, kind: from === host ? 'host' : 'pod' },
  to: { name: to as Name, host: to as Name, address: address as Ip },
})

describe('no measurement is told, with its reason', () => {
  const one = [stream('node1-pod1', 'node1', 'node2-pod1', '10.244.2.2')]
  const half = (number: number, state: string, ...lines: string[]) =>
    [`log 0.${number} ${state}`, ...lines, ''].join('\n')
  const whole = half(0, 'runs', answer('5.000', 1, 0))
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['the folder is gone', 'gone\n', /^node1 has lost its pings: it was rebooted/],
    ['no such pod', `now 6\n${whole}${half(1, 'ended', 'Cannot open network namespace "node1-pod1"')}`, /^ping has ended: Cannot open network namespace/],
    ['its time is over', `now 6\n${whole}${half(1, 'ended', answer('5.000', 1, 0), '', '--- 10.244.2.2 ping statistics ---')}`, /their time was over/],
    ['a log is missing', `now 6\n${whole}`, /^ping has ended: it said nothing/],
  ] // prettier-ignore
  test.each(cases)('%s', (_, output, why) => {
    expect(parseLoad(output, one)).toEqual([{ notMeasured: expect.stringMatching(why) as string }])
  })
})

describe('on a real kernel', () => {
  let on: Kernel
  const there = stream('pod1', 'node1', 'node2', '10.1.0.1')
  const back = stream('node2', 'node2', 'pod1', '10.1.0.2')
  const lost = stream('nopod', 'node1', 'node2', '10.1.0.1')
  beforeAll(async () => {
    on = await kernel()
    await on.sh(
      `ip netns add pod1; ip link add v type veth peer name eth0 netns pod1; ip addr add 10.1.0.1/24 dev v; ip link set v up
       ip -n pod1 addr add 10.1.0.2/24 dev eth0; ip -n pod1 link set eth0 up`,
    )
  })
  afterAll(() => on.close())

  /** Two hosts that share the kernel. Those in `away` do not answer. */
  const sessions = (away: readonly string[] = []) => {
    const sessionOf = (host: string) =>
      away.includes(host)
        ? Promise.reject(new HostError({ host, step: 'connect', why: 'it is away' }))
        : Promise.resolve({
            target: { name: host } as Target,
            run: async (script: string) => {
              const { code, ...outputs } = await on.run(script)
              return { ...outputs, exitCode: code }
            },
          })
    return sessionOf
  }
  const pings = () => on.sh('ls /run/overlab-load 2>/dev/null || :; ip netns pids pod1 | wc -l')
  const lossesOf = (losses: readonly StreamLoss[]) =>
    losses.map((one) => ('lost' in one ? one.lost : one.notMeasured))

  test('nothing is lost where nothing happens; a request each 10 ms; nothing is left', async () => {
    const { losses } = await underLoad(sessions(), [there, back], () => sleep(700))
    expect(losses.map(({ pair }) => pair)).toEqual(['pod1 -> node2', 'node2 -> pod1'])
    expect(lossesOf(losses)).toEqual([0, 0])
    for (const one of losses) expect('sent' in one && one.sent).toBeGreaterThan(20)
    expect(await pings()).toBe('0\n')
  })

  test('a cut is lost, its end is seen, and what is still cut is told from it', async () => {
    const load = await startLoad(sessions(), [there, back])
    await sleep(200)
    await on.sh('iptables -A INPUT -i v -j DROP; sleep 1.2')
    const cut = await load.look()
    await on.sh('iptables -D INPUT -i v -j DROP; sleep 0.5')
    const healed = await load.stop()
    for (const [during, after] of cut.map((one, index) => [one, healed[index]!] as const)) {
      if ('notMeasured' in during || 'notMeasured' in after) throw new Error(JSON.stringify([during, after]))
      expect(during.lost).toBeGreaterThan(30)
      expect(during.silentMs).toBeGreaterThan(1000)
      expect(after.lost).toBeGreaterThanOrEqual(during.lost)
      expect(after.outageMs).toBeGreaterThan(1000)
      expect(after.silentMs).toBeLessThan(after.outageMs)
    }
  })

  test('a host that is away and a pod that is not there are not measured; the others are', async () => {
    const { losses } = await underLoad(sessions(['node2']), [there, lost, back], () => sleep(600))
    expect(lossesOf(losses)).toEqual([
      0,
      expect.stringContaining('Cannot open network namespace'),
      'node2: connect: it is away',
    ])
  })

  test('nobody ends it: it ends by itself, and that is no measurement', async () => {
    const load = await startLoad(sessions(), [there], { bound: 1 })
    await sleep(1500)
    expect(lossesOf(await load.stop())).toEqual([expect.stringContaining('their time was over')])
    expect(await pings()).toBe('0\n')
  })

  test('ended whatever the action comes to', async () => {
    await expect(underLoad(sessions(), [there], () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await pings()).toBe('0\n')
  })

  test('Ctrl-C in the start', async () => {
    const controller = new AbortController()
    controller.abort()
    await expect(
      startLoad(sessions(['node2']), [there, back], { signal: controller.signal }),
    ).rejects.toThrow('it is away')
    expect(await pings()).toBe('0\n')
  })
})
