import { expect, test } from 'vitest'
import { insteadOf, otherWords } from '../../cli/other-words.ts'
import { verbs } from '../../cli/verbs.ts'
import { suggestion } from '../../inventory/suggest.ts'

test.each([
  ['ssh', 'exec HOST|POD'],
  ['down', 'destroy'],
  ['status', 'ping'],
  ['inspect', 'show'],
  ['validate', 'plan'],
  ['facts', 'show'],
  ['SHELL', 'exec HOST|POD'],
])('%s: %s', (word, ours) => expect(insteadOf(word)).toBe(`./overlab ${ours}`))

test.each(['shwo', '', 'constructor', '__proto__'])('no tool says %j', (word) =>
  expect(insteadOf(word)).toBeUndefined(),
)

test('each leads to a verb that there is, and none hides one', () => {
  for (const [word, ours] of Object.entries(otherWords)) {
    expect([...Object.keys(verbs), '--version']).toContain(ours.split(' ')[0])
    expect(Object.keys(verbs)).not.toContain(word)
  }
})

test('a number is no slip of another one', () => {
  expect(suggestion('9', ['1', '2', '8'])).toBe('use one of 1, 2, 8')
  expect(suggestion('rotes', ['1', 'routes'])).toBe('did you mean routes?')
})
