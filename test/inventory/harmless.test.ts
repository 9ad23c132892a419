import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  harmless,
  harmlessLines,
  mostCharacters,
  mostLines,
  visible,
  visibleLines,
} from '../../inventory/harmless.ts'
import { dangerous } from '../support/dangerous.ts'

const bytes = fc.uint8Array({ maxLength: 3000 }).map((some) => Buffer.from(some).toString())
const nasty = fc.constantFrom(
  '\x1b[2J',
  '\x9b31m',
  '\r',
  '\n',
  '\u202e',
  '\u200b',
  '\u2028',
  '\ud800',
  '\u{e0041}',
  'a',
)
const text = fc.oneof(
  bytes,
  fc.string({ unit: 'binary', maxLength: 2000 }),
  fc.array(nasty, { maxLength: 1500 }).map((some) => some.join('')),
)

test('whatever comes, what is printed moves no cursor and is bounded', () => {
  fc.assert(
    fc.property(text, (from) => {
      const line = harmless(from)
      expect(line).not.toMatch(dangerous)
      expect(line).not.toContain('\n')
      expect(line.length).toBeLessThanOrEqual(mostCharacters)
      expect(line.isWellFormed()).toBe(true)
      const message = harmlessLines(from)
      expect(message).not.toMatch(dangerous)
      const lines = message.split('\n')
      expect(lines.length).toBeLessThanOrEqual(mostLines)
      for (const one of lines) expect(one.length).toBeLessThanOrEqual(mostCharacters)
      expect(visible(from)).not.toMatch(dangerous)
      expect(visibleLines(from).replaceAll('\t', '')).not.toMatch(dangerous)
    }),
    { numRuns: 500 },
  )
})

test('what was made harmless stays as it is', () => {
  fc.assert(
    fc.property(text, (from) => {
      expect(harmless(harmless(from))).toBe(harmless(from))
      expect(harmlessLines(harmlessLines(from))).toBe(harmlessLines(from))
    }),
  )
})

test('plain text of any language stays as it is', () => {
  for (const plain of ['', 'a', 'Größe 1 µs · 東京 · Привет · عربي', 'two\nlines\n', '😀'])
    expect(harmlessLines(plain)).toBe(plain)
})

test('what a character would do is written out', () => {
  expect(harmless('\x1b[31mred\r\nnode2: ok\tx\u202eexe.\u{e0041}\x9b')).toBe(
    '\\u001b[31mred\\r\\nnode2: ok\\tx\\u202eexe.\\u{e0041}\\u009b',
  )
  expect(visibleLines('a\n\tb\x1b')).toBe('a\n\tb\\u001b')
})

test('a long line and a long message end with a mark', () => {
  const long = harmless('x'.repeat(20 * 2 ** 20))
  expect(long).toHaveLength(mostCharacters)
  expect(long).toMatch(/x \.\.\. \(cut\)$/)
  // An escape is never cut in two.
  expect(harmless('\x1b'.repeat(1000))).toMatch(/\\u001b \.\.\. \(cut\)$/)
  const many = harmlessLines(Array.from({ length: 4000 }, (_, index) => `line ${index}`).join('\n')).split(
    '\n',
  )
  expect(many).toHaveLength(mostLines)
  expect(many.at(-1)).toBe('... and 3901 more lines')
  expect(harmlessLines(`${'a\n'.repeat(mostLines)}`).split('\n')).toHaveLength(mostLines)
})
