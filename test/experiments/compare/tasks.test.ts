import { expect, test } from 'vitest'
import { firstAfter, runTasks, type Progress } from '../../../experiments/compare/tasks.ts'

const tasks = (...seconds: readonly number[]) =>
  seconds.map((one, index) => ({ what: `${index}`, seconds: one, run: () => Promise.resolve() }))

test.each([
  [[10, 10, 10, 10, 10], 0.2, 1],
  [[1, 1, 8], 0.2, 2],
  [[50, 1], 0.2, 1],
  [[1, 99], 0.2, 1],
  [[9], 0.2, 0],
  [[], 0.2, -1],
])('of %j a share of %d is done after %i', (seconds, share, wanted) =>
  expect(firstAfter(tasks(...seconds), share)).toBe(wanted),
)

test('what is left is told before each, by what was expected until the pace is known', async () => {
  const seen: Progress[] = []
  await runTasks(tasks(4, 3, 2), (state) => seen.push(state))
  expect(seen.map(({ done, left }) => [done, left])).toEqual([
    [0, 9],
    [1, 5],
    [2, 2],
  ])
})
