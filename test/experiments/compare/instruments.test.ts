/** What ping, iperf3, /proc and tcpdump said on real machines, and what is made of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cpuPerGigabyte, parseCpu } from '../../../experiments/compare/cpu.ts'
import { parseFirstAnswer } from '../../../experiments/compare/first-answer.ts'
import { headerBytes } from '../../../experiments/compare/header.ts'
import { parseThroughput, type Throughput } from '../../../experiments/compare/iperf.ts'
import { parseMtu } from '../../../experiments/compare/mtu.ts'
import { parseRoundTrips } from '../../../experiments/compare/round-trip.ts'
import type { Observed } from '../../../experiments/trace/collect.ts'
import type { Layer } from '../../../experiments/trace/packet.ts'

const said = (file: string): string => readFileSync(join(import.meta.dirname, 'said', file), 'utf8')

describe('ping', () => {
  test('every answer', () => {
    const { sent, times } = parseRoundTrips(said('ping.txt'))!
    expect([sent, times.length]).toEqual([60, 60])
    // As ping's own last line has it.
    expect([Math.min(...times), Math.max(...times)]).toEqual(
      /= ([\d.]+)\/[\d.]+\/([\d.]+)/.exec(said('ping.txt'))!.slice(1).map(Number),
    )
  })
  test('lost ones are no times', () => {
    const lossy = said('ping.txt').replace(/.*icmp_seq=7 .*\n/, '')
    expect(parseRoundTrips(lossy)!.times).toHaveLength(59)
  })
  test.each(['', 'ping: connect: Network is unreachable\n', 'Cannot open network namespace "node9-pod1"\n'])(
    'nothing sent: %j',
    (output) => expect(parseRoundTrips(output)).toBeUndefined(),
  )
})

describe('iperf3', () => {
  const read = (file: string) => parseThroughput(said(file)) as Throughput
  test('one stream: what arrived, and CPU seconds of both ends', () => {
    const { bytes, seconds, cpu, packets } = read('iperf3-tcp-1.json')
    expect({ bytes, seconds, packets }).toEqual({ bytes: 365953024, seconds: 1.008627, packets: undefined })
    expect(cpu.sending).toBeCloseTo(0.16057 * 1.00108, 4)
    expect(cpu.receiving).toBeCloseTo(0.11246 * 1.008627, 4)
  })
  test('four streams: all together', () => expect(read('iperf3-tcp-4.json').bytes).toBe(425197568))
  test('udp: sent and lost', () =>
    expect(read('iperf3-udp.json').packets).toEqual({ sent: 51850, lost: 26252 }))
  test.each([
    [said('iperf3-refused.json'), 'iperf3: unable to connect to server: Connection refused'],
    ['', 'iperf3 printed nothing'],
    ['Killed\n', 'iperf3 printed no JSON: Killed'],
    ['{"end":{}}', "iperf3's report lacks end.sum_sent"],
    [said('iperf3-tcp-1.json').replaceAll('365953024', '0'), 'iperf3: nothing arrived'],
  ])('no measurement: %#', (output, why) => expect(parseThroughput(output)).toBe(why))
})

describe('CPU times', () => {
  const head = 'ticks 100\nboot b-1\n'
  const cpu = 'cpu  1144562 34186 320931 1121673 8510 0 11080 751 0 0'
  const stat =
    'flanneld 112 (a) b) S 1 112 112 0 -1 4194560 5044 0 0 0 37 12 0 0 20 0 11 0 9571 1267404800 7402 184'
  test('of the kernel, and of flanneld where it runs', () => {
    expect(parseCpu(`${head}${cpu}\n${stat}\n`)).toEqual({
      boot: 'b-1',
      busy: 15107.59,
      softirq: 110.8,
      flanneld: 0.49,
    })
    expect(parseCpu(`${head}${cpu}\n`)).not.toHaveProperty('flanneld')
    expect(parseCpu('cat: /proc/stat: No such file or directory\n')).toBeUndefined()
  })
  const at = (busy: number, flanneld?: number, boot = 'b-1') => ({
    boot,
    busy,
    softirq: busy / 10,
    ...(flanneld === undefined ? {} : { flanneld }),
  })
  test('two kernels are added up, one is not', () => {
    const all = (boot?: string) =>
      cpuPerGigabyte(
        [at(10), at(20, undefined, boot)],
        [at(14), at(21, undefined, boot)],
        { sending: 1, receiving: 2 },
        1e9,
      )[0]!.value
    expect([all(), all('b-2')]).toEqual([4, 5])
  })
  test('for a gigabyte; a flanneld that ended is not counted', () => {
    const found = cpuPerGigabyte(
      [at(10, 1), at(10, 2)],
      [at(14, 1.5), at(14)],
      { sending: 1, receiving: 2 },
      2e9,
    )
    expect(Object.fromEntries(found.map(({ of = 'all', value }) => [of, Number(value.toFixed(6))]))).toEqual({
      all: 2,
      softirq: 0.2,
      'iperf3 sending': 0.5,
      'iperf3 receiving': 1,
      'flanneld sending': 0.25,
    })
  })
})

test.each([
  ['mtu 1450\n', 1450],
  ['not even 68 bytes pass\n', 'not even 68 bytes pass'],
  ['', 'ping said nothing'],
])('MTU: %j', (output, found) => expect(parseMtu(output)).toBe(found))

test.each([
  ['start 100.5 first [102.250000] 64 bytes from 10.244.3.2: icmp_seq=7 ttl=62 time=0.1 ms\n', 1.75],
  ['start 100.5 first \n', undefined],
])('first answer: %j', (output, seconds) => expect(parseFirstAnswer(output)).toBe(seconds))

describe('header', () => {
  const layer = (protocol: Layer['protocol'], total: number): Layer => ({
    protocol,
    fields: { 'total length': total },
  })
  const observed = (layers: Layer[] | undefined, answered = true): Observed =>
    ({
      views: {
        node1: {
          sightings: [
            { link: 'cni0', message: 'request', layers: [layer('ipv4', 84)] },
            ...(layers ? [{ link: 'eth0', message: 'request', layers }] : []),
          ],
        },
      },
      sent: { answered },
    }) as unknown as Observed
  test('between the outer packet and the inner one', () => {
    const vxlan = [layer('ethernet', 0), layer('ipv4', 134), layer('udp', 0), layer('ipv4', 84)]
    expect(headerBytes(observed(vxlan), 'node1', 'eth0')).toBe(50)
    expect(headerBytes(observed([layer('ipv4', 84)]), 'node1', 'eth0')).toBe(0)
  })
  test('nothing captured is no header of 0 bytes', () => {
    expect(headerBytes(observed(undefined), 'node1', 'eth0')).toMatch(/no capture has it/)
    expect(headerBytes(observed(undefined, false), 'node1', 'eth0')).toMatch(/got no answer/)
    expect(headerBytes(observed([layer('arp', 0)]), 'node1', 'eth0')).toMatch(/no IPv4/)
  })
})
