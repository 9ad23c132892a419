/** The matrix as words. */
import { describe, expect, test } from 'vitest'
import { cellText, markdown, reasons } from '../../../experiments/survive/matrix.ts'
import { survival, type Cell, type Survival } from '../../../experiments/results/survival.ts'

const place = { variant: 'vxlan', fault: 'nic-down' }
const lost = (variant: string, heals: 'by itself' | 'by pulumi up' | 'never', because?: string): Cell => ({
  variant,
  fault: 'nic-down',
  sent: 5000,
  lost: 412,
  outageMs: 2149,
  heals,
  pairs: [],
  ...(because !== undefined && { because }),
})

describe('a cell', () => {
  const cases: readonly (readonly [string, Cell | undefined])[] = [
    ['0', { ...place, sent: 10, lost: 0, outageMs: 0, heals: 'unharmed', pairs: [] }],
    ['412 · 2.1 s · itself', lost('vxlan', 'by itself')],
    ['412 · 2.1 s · up', lost('vxlan', 'by pulumi up')],
    ['412 · 2.1 s · never', lost('vxlan', 'never')],
    ['-', { ...place, notApplicable: 'no flanneld' }],
    ['?', { ...place, notMeasured: 'node3 is gone' }],
    ['?', undefined],
  ]
  test.each(cases)('%s', (text, cell) => {
    expect(cellText(cell).text).toBe(text)
  })
})

const result: Survival = {
  kind: 'overlab.survival',
  version: 1,
  provenance: {
    startedAt: '2026-01-01T00:00:00Z',
    endedAt: '2026-01-01T00:10:00Z',
    command: ['survive'],
    kernel: '6.18',
    cpu: 'a CPU',
    cores: 2,
    memory: 1,
    load: [0, 1],
    versions: {},
    offloads: {},
    machines: { driver: 'namespace', hosts: 3, pods: 6 },
  },
  lab: 'lab',
  variants: [
    { name: 'vxlan', backend: 'vxlan', control: 'static' },
    { name: 'udp', backend: 'udp', control: 'static' },
    { name: 'udp-flanneld', backend: 'udp', control: 'flanneld' },
  ],
  faults: [
    { id: 'kill-one', title: 'flanneld killed on one host', what: 'kill -9 of one flanneld.' },
    { id: 'nic-down', title: 'the NIC down and up', what: 'ip link set eth0 down, and up.' },
  ],
  cells: [
    { variant: 'vxlan', fault: 'kill-one', notApplicable: 'a static lab has no flanneld' },
    { variant: 'udp', fault: 'kill-one', notApplicable: 'a static lab has no flanneld' },
    { variant: 'udp-flanneld', fault: 'kill-one', notMeasured: 'node3 is gone' },
    lost('vxlan', 'by itself', 'nothing was gone'),
    lost('udp', 'by pulumi up', '1 route was gone'),
    lost('udp-flanneld', 'by itself', 'nothing was gone'),
  ],
}

test('variants with the same reason stand together', () => {
  expect(reasons(result, 'nic-down')).toEqual([
    { variants: 'vxlan, udp-flanneld', why: 'nothing was gone' },
    { variants: 'udp', why: '1 route was gone' },
  ])
})

test('as a page', () => {
  expect(survival.parse(result)).toEqual(result)
  expect(markdown(result))
    .toBe(`|                             | \`vxlan\`              | \`udp\`                | \`udp-flanneld\`       |
| --------------------------- | -------------------- | -------------------- | -------------------- |
| flanneld killed on one host | -                    | -                    | ?                    |
| the NIC down and up         | 412 · 2.1 s · itself | **412 · 2.1 s · up** | 412 · 2.1 s · itself |

### flanneld killed on one host

\`kill-one\`: kill -9 of one flanneld.

- vxlan, udp: a static lab has no flanneld.
- udp-flanneld: not measured: node3 is gone.

### The NIC down and up

\`nic-down\`: ip link set eth0 down, and up.

- vxlan, udp-flanneld: nothing was gone.
- udp: 1 route was gone.`)
})
