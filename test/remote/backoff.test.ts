import { expect, test } from 'vitest'
import { wait } from '../../remote/backoff.ts'

const plan = { attempts: 6, baseMs: 100, capMs: 1000 }

test('waits double up to the cap, and lie between half and whole', () => {
  expect([1, 2, 3, 4, 5, 6].map((attempt) => wait(attempt, plan, () => 1))).toEqual([
    100, 200, 400, 800, 1000, 1000,
  ])
  expect([1, 2, 3, 4, 5, 6].map((attempt) => wait(attempt, plan, () => 0))).toEqual([
    50, 100, 200, 400, 500, 500,
  ])
})

test('two hosts do not wait alike', () => {
  expect(new Set(Array.from({ length: 50 }, () => wait(5, plan))).size).toBeGreaterThan(10)
})
