import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withLock } from '../../tools/lock.ts'
import { temporaryFolder } from './temporary.ts'

test('the second waits for the first, and is told for whom', async () => {
  const path = join(temporaryFolder(), 'lock')
  const events: string[] = []
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const first = withLock(
    path,
    () => undefined,
    async () => {
      events.push('first')
      await held
      events.push('first ends')
    },
  )
  const second = withLock(
    path,
    (pid) => (events.push(`waits for ${pid === process.pid ? 'this process' : pid}`), release()),
    async () => {
      events.push('second')
    },
  )
  await Promise.all([first, second])
  expect(events).toEqual(['first', 'waits for this process', 'first ends', 'second'])
})

test.each([
  ['gone', '99999999 1'],
  ['another one with its id by now', `${process.pid} 1`],
])('a lock whose process is %s is taken over; nothing is left', async (_name, holder) => {
  const folder = temporaryFolder()
  const path = join(folder, 'lock')
  writeFileSync(path, holder)
  writeFileSync(`${path}.${Number.parseInt(holder, 10)}.left-by-it`, holder)
  expect(
    await withLock(
      path,
      () => undefined,
      async () => 'done',
    ),
  ).toBe('done')
  expect(readdirSync(folder)).toEqual([])
})

test('a failure frees it', async () => {
  const path = join(temporaryFolder(), 'lock')
  await expect(
    withLock(
      path,
      () => undefined,
      async () => Promise.reject(new Error('failed')),
    ),
  ).rejects.toThrow('failed')
  await setTimeout(0)
  expect(existsSync(path)).toBe(false)
})
