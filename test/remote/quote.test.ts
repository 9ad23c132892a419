import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { quote } from '../../remote/quote.ts'

// Real processes on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

test.each([
  ['node1', 'node1'],
  ['10.244.2.0/24', '10.244.2.0/24'],
  ['', "''"],
  ["it's", "'it'\\''s'"],
  ['$(reboot)', "'$(reboot)'"],
  ['~root', "'~root'"],
  ['a=b', "'a=b'"],
  ['two words', "'two words'"],
  ['two\nlines', "'two\nlines'"],
])('%j becomes %s', (word, quoted) => expect(quote(word)).toBe(quoted))

test('a zero byte is refused', () => {
  expect(() => quote('a\0b')).toThrow(RangeError)
})

test('a real sh gives back every word', () => {
  const nasty = fc.constantFrom(
    "'",
    '"',
    '\\',
    '$',
    '`',
    '!',
    '\n',
    ' ',
    '*',
    '~',
    '#',
    '-',
    '$(',
    '${x}',
    ';',
    '&&',
    'é',
    '\r',
    '\t',
    '{a,b}',
    '=',
  )
  const word = fc
    .oneof(
      fc.string({ unit: 'binary' }),
      fc.array(nasty).map((parts) => parts.join('')),
    )
    .map((text) => text.replaceAll('\0', '').toWellFormed())
  for (const shell of ['/bin/sh', '/bin/bash']) {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), (words) => {
        const { stdout } = spawnSync(shell, { input: `printf '%s\\0' ${words.map(quote).join(' ')}` })
        expect(stdout.toString().split('\0').slice(0, -1)).toEqual(words)
      }),
      { numRuns: 40 },
    )
  }
})
