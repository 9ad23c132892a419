import { expect, test } from 'vitest'
import { run } from '../../tools/commands.ts'

test.each([
  ['the program itself', 'echo said; exec sleep 1000'],
  ['a child of it', 'echo said; sleep 1000'],
  // As behind sudo: what still holds the output can't be killed by the group.
  ['a child in a session of its own, after its end', 'echo said; setsid sleep 5 &'],
])('a time limit ends the wait for %s', async (_, script) => {
  expect(await run('sh', ['-c', script], { timeout: 500 })).toEqual({
    code: 124,
    stdout: 'said\n',
    stderr: '',
  })
})

test('a program that is not there is an exit code', async () => {
  expect(await run('/nowhere/program', [])).toMatchObject({
    code: 127,
    stderr: expect.stringContaining('ENOENT'),
  })
})
