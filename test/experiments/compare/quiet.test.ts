import { expect, test } from 'vitest'
import { whyBusy } from '../../../experiments/compare/quiet.ts'

test.each([
  [20, 2, true],
  [9, 2, true],
  [1.1, 2, true],
  [1, 2, false],
  [0.2, 2, false],
  [7, 16, false],
  [9, 16, true],
])('a load of %d on %i cores', (load, cores, busy) => expect(whyBusy(load, cores) !== undefined).toBe(busy))

test('it says how busy, and what to do', () =>
  expect(whyBusy(20.04, 2)).toEqual({
    what: 'this computer is busy: a load of 20.0 on 2 cores, and what else runs would be measured too',
    todo: 'wait until the load is 1.0 or less (uptime shows it), or measure all the same by --force',
  }))
