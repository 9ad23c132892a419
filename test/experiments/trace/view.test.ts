import { expect, test } from 'vitest'
import { sentOf } from '../../../experiments/trace/collect.ts'
import { tunnels } from '../../../experiments/trace/view.ts'

test('who holds which TUN device', () => {
  expect(tunnels('flannel0: tun\n\tAttached to processes:flanneld(172)\ntap1: tap persist\n')).toEqual({
    flannel0: ['flanneld (pid 172)'],
    tap1: [],
  })
  expect(tunnels('')).toEqual({})
})

test.each([
  [
    '64 bytes from 10.244.2.2: icmp_seq=1 ttl=62 time=0.180 ms\n\n1 packets transmitted, 1 received\nexit 0\n',
    { answered: true, rtt: 0.18 },
  ],
  ['1 packets transmitted, 0 received, 100% packet loss, time 0ms\nexit 1\n', { answered: false }],
  [
    'From 10.244.1.1 icmp_seq=1 Destination Host Unreachable\nexit 1\n',
    { answered: false, said: 'Destination Host Unreachable (said by 10.244.1.1)' },
  ],
  [
    'ping: connect: Network is unreachable\nexit 2\n',
    { answered: false, said: 'connect: Network is unreachable' },
  ],
])("ping's own words: %s", (output, sent) => {
  expect(sentOf(output, 'ff')).toEqual({ pattern: 'ff', ...sent })
})
