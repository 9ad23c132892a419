/** What the losses of a load say. */
import { describe, expect, test } from 'vitest'
import type { StreamLoss } from '../../../experiments/load.ts'
import { stateOf, sumsOf } from '../../../experiments/survive/verdict.ts'

const loss = (from: string, lost: number, outageMs: number, silentMs: number): StreamLoss => ({
  pair: `${from}-pod1 -> node9-pod1`,
  from: `${from}-pod1`,
  to: 'node9-pod1',
  sent: 100,
  lost,
  outageMs,
  silentMs,
})
const unknown: StreamLoss = { pair: 'a -> b', from: 'a', to: 'b', notMeasured: 'it was rebooted' }
const fine = loss('node1', 0, 0, 10)

describe('the state', () => {
  const cases: readonly (readonly [string, readonly StreamLoss[], string])[] = [
    ['nothing lost', [fine, fine], 'unharmed'],
    ['lost, and answered again', [fine, loss('node2', 5, 60, 10)], 'healed'],
    ['lost, and silent', [fine, loss('node2', 90, 900, 900)], 'dead'],
    ['a stall of the machine loses nothing and is no outage', [fine, loss('node2', 0, 0, 900)], 'unharmed'],
    ['one is not known', [fine, unknown], 'open'],
    ['one is not known, another is dead', [unknown, loss('node2', 90, 900, 900)], 'dead'],
  ]
  test.each(cases)('%s', (_, losses, wanted) => {
    expect(stateOf(losses)).toBe(wanted)
  })
})

test('the sums leave out what was not measured, and name the pairs that lost', () => {
  expect(sumsOf([fine, unknown, loss('node2', 5, 60, 10), loss('node3', 7, 50, 10)])).toEqual({
    sent: 300,
    lost: 12,
    outageMs: 60,
    pairs: [
      { pair: 'node2-pod1 -> node9-pod1', sent: 100, lost: 5, outageMs: 60 },
      { pair: 'node3-pod1 -> node9-pod1', sent: 100, lost: 7, outageMs: 50 },
    ],
  })
})
