import { expect, test } from 'vitest'
import { isWhole, report } from '../../cli/ping-report.ts'
import type { Endpoint, Reach } from '../../experiments/reach.ts'
import { endpoints } from '../../experiments/reach.ts'
import { planLab } from '../../overlay/plan.ts'
import { hostsOf, inventoryOf } from '../support/inventory.ts'

const all = endpoints(planLab(inventoryOf({ hosts: hostsOf(2) })))
const whole = (from: Endpoint, to: Endpoint): Reach => ({
  from,
  to,
  sent: 3,
  received: 3,
  rtt: { min: 0.1, avg: 0.25, max: 0.5 },
})

function reaches(of: (from: Endpoint, to: Endpoint) => Partial<Reach>): Reach[] {
  return all.flatMap((from) =>
    all.filter((to) => to !== from).map((to) => ({ ...whole(from, to), ...of(from, to) })),
  )
}

/** node2 does not run; one pod of node1 loses some packets, another all. */
const broken = reaches((from, to) => {
  if (from.host === 'node2')
    return { sent: 0, received: 0, notMeasured: 'node2: connect: its machine does not run' }
  if (to.host === 'node2') return { received: 0 }
  return from.name === 'node1-pod1' ? { received: 1 } : {}
}).map(({ rtt, ...reach }) => (reach.received > 0 ? { ...reach, ...(rtt ? { rtt } : {}) } : reach))

test('hosts come first, then pods', () =>
  expect(all.map(({ name }) => name)).toEqual([
    'node1',
    'node2',
    'node1-pod1',
    'node1-pod2',
    'node2-pod1',
    'node2-pod2',
  ]))

test('all reach each other', () => {
  const good = reaches(() => ({}))
  expect(good.every(isWhole)).toBe(true)
  return expect(`${report(all, good, 120)}\n`).toMatchFileSnapshot('ping/whole.txt')
})
test('a matrix with losses, and with pairs that were not measured', () =>
  expect(`${report(all, broken, 120)}\n`).toMatchFileSnapshot('ping/broken.txt'))
test('numbers above the columns where names are too wide', () =>
  expect(`${report(all, broken, 64)}\n`).toMatchFileSnapshot('ping/numbered.txt'))
test('a row a host where the matrix is too wide', () =>
  expect(`${report(all, broken, 40)}\n`).toMatchFileSnapshot('ping/narrow.txt'))

test.each([
  { sent: 3, received: 3, is: true },
  { sent: 3, received: 2, is: false },
  { sent: 0, received: 0, is: false },
])('$received of $sent is whole: $is', ({ sent, received, is }) =>
  expect(isWhole({ from: all[0]!, to: all[1]!, sent, received })).toBe(is),
)
