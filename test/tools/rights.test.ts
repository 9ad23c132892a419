import { expect, test } from 'vitest'
import { planRights } from '../../tools/rights.ts'

const user = { uid: 1000, sudo: '/usr/bin/sudo', terminal: false, passwordless: async () => false }

test.each([
  ['root', { ...user, uid: 0, sudo: undefined }, undefined],
  ['sudo without a password', { ...user, passwordless: async () => true }, undefined],
  ['no sudo', { ...user, sudo: undefined }, /^not root \(uid 1000\) and no sudo: .* run it as root/],
  [
    'a password, and nobody to type it',
    user,
    /^not root \(uid 1000\), and sudo asks for a password where none can be typed: run it in a terminal/,
  ],
])('%s', async (_name, have, message) => {
  const work = await planRights(have)
  if (message === undefined) expect(work).toBeUndefined()
  else expect(work?.problems).toEqual([expect.stringMatching(message)])
})

test('a password on a terminal is asked for as a step of its own', async () => {
  const work = await planRights({ ...user, terminal: true })
  expect(work?.problems).toEqual([])
  expect(work?.tasks.map((task) => task.title)).toEqual(['asking sudo for rights'])
})
