/** Which changes of a running lab must go through their phases in step on all hosts. */
import { expect, test } from 'vitest'
import type { Inventory } from '../../inventory/inventory.ts'
import type { Ip, Mac } from '../../inventory/values.ts'
import { needsBarrier } from '../../modules/barrier.ts'
import { diffState } from '../../modules/diff-state.ts'
import { planLab } from '../../overlay/plan.ts'
import { backends, hostOf, hostsOf, inventoryOf } from '../support/inventory.ts'

const three = hostsOf(3)
const vxlan = inventoryOf({ hosts: three })
const lab = (backend: keyof typeof backends): Inventory =>
  inventoryOf({ backend: backends[backend], hosts: three })

const moved = inventoryOf({
  backend: backends.udp,
  hosts: [hostOf(1, { address: '192.168.77.100' as Ip }), ...three.slice(1)],
})

const cases: readonly [what: string, from: Inventory | undefined, to: Inventory, expected: boolean][] = [
  ['nothing changes', vxlan, vxlan, false],
  ['a lab from nothing', undefined, vxlan, false],
  ['a host joins', vxlan, inventoryOf({ hosts: hostsOf(4) }), false],
  ['a host leaves', vxlan, inventoryOf({ hosts: hostsOf(2) }), false],
  ['vxlan -> host-gw', vxlan, lab('host-gw'), true],
  ['host-gw -> vxlan', lab('host-gw'), vxlan, true],
  ['vxlan -> udp', vxlan, lab('udp'), true],
  ['udp -> vxlan', lab('udp'), vxlan, true],
  ['host-gw -> udp', lab('host-gw'), lab('udp'), true],
  ['udp -> host-gw', lab('udp'), lab('host-gw'), true],
  ['DirectRouting on', vxlan, lab('vxlan-directrouting'), true],
  ['DirectRouting off', lab('vxlan-directrouting'), vxlan, true],
  ['another VNI', vxlan, inventoryOf({ backend: { ...backends.vxlan, VNI: 2 }, hosts: three }), true],
  ['another MTU', vxlan, inventoryOf({ backend: { ...backends.vxlan, MTU: 1400 }, hosts: three }), false],
  ['udp: a host gets another underlay address (no route changes, the peers do)', lab('udp'), moved, true],
  [
    "another VTEP MAC (the peers' entries change, no route does)",
    vxlan,
    inventoryOf({ hosts: [hostOf(1, { vtepMac: '56:c7:49:48:ee:87' as Mac }), ...three.slice(1)] }),
    false,
  ],
]

test.each(cases)('%s', (_, from, to, expected) => {
  const [before, after] = [from && planLab(from).hosts, planLab(to).hosts]
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after)])
  const changes = Object.fromEntries(
    [...names].map((name) => [name, diffState(before?.[name]?.state ?? {}, after[name]?.state ?? {})]),
  )
  expect(needsBarrier(changes)).toBe(expected)
})
