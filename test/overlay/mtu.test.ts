import { expect, test } from 'vitest'
import type { Backend } from '../../inventory/inventory.ts'
import { podMtu } from '../../overlay/mtu.ts'
import { backends } from '../support/inventory.ts'

const cases: readonly [what: string, backend: Backend, nic: number, mtu: number][] = [
  ['vxlan takes 50 bytes', backends.vxlan, 1500, 1450],
  ['vxlan with MTU 1400 counts from 1400, as flannel does', { ...backends.vxlan, MTU: 1400 }, 1500, 1350],
  ['vxlan on jumbo frames', backends.vxlan, 9000, 8950],
  [
    'DirectRouting keeps the room for those who are not on the link',
    backends['vxlan-directrouting'],
    1500,
    1450,
  ],
  ['host-gw takes nothing', backends['host-gw'], 1500, 1500],
  ['udp takes 28 bytes', backends.udp, 1500, 1472],
]

test.each(cases)('%s', (_, backend, nic, mtu) => {
  expect(podMtu(backend, nic)).toBe(mtu)
})
