import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { sentOf } from '../../../experiments/trace/collect.ts'
import { sendScript } from '../../../experiments/trace/script.ts'
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
  // BusyBox 1.35
  ['64 bytes from 10.1.0.2: seq=0 ttl=64 time=0.087 ms\nexit 0\n', { answered: true, rtt: 0.087 }],
  [
    'PING 10.3.0.1 (10.3.0.1): 56 data bytes\nping: sendto: Network is unreachable\nexit 1\n',
    { answered: false, said: 'sendto: Network is unreachable' },
  ],
  [
    'payload of one byte: 3c\nPING 10.1.0.9 (10.1.0.9): 56 data bytes\n\n--- 10.1.0.9 ping statistics ---\n1 packets transmitted, 0 packets received, 100% packet loss\nexit 1\n',
    { answered: false, pattern: '3c3c3c3c3c3c3c3c' },
  ],
])("ping's own words: %s", (output, sent) => {
  expect(sentOf(output, 'ff')).toEqual({ pattern: 'ff', ...sent })
})

test('a ping that takes one byte of payload, as BusyBox does, is asked again; another is asked once', () => {
  const asked = (refuses: string) =>
    spawnSync('sh', {
      encoding: 'utf8',
      input: `ping() { for word; do case $word in ${refuses}) echo "ping: invalid number '$word'"; return 1 ;; esac; done; echo "asked $*"; return 3; }
${sendScript({}, '10.1.0.2', '3c2b1a0918f7e6d5')}`,
    }).stdout
  expect(asked('????????????????')).toBe(
    'payload of one byte: 3c\nasked -n -c 1 -W 2 -p 3c 10.1.0.2\nexit 3\n',
  )
  expect(asked('none')).toBe('asked -n -c 1 -W 2 -p 3c2b1a0918f7e6d5 10.1.0.2\nexit 3\n')
})
