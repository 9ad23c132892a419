import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fit, jsonText, pairs, table, wrap } from '../../cli/output.ts'
import { dangerous } from '../support/dangerous.ts'

const columns = [
  { title: 'HOST', value: ([host]: readonly string[]) => host! },
  { title: 'ENTRY', wraps: true as const, value: ([, entry]: readonly string[]) => entry! },
  { title: 'MS', align: 'right' as const, value: ([, , ms]: readonly string[]) => ms! },
]
const rows = [
  ['node1', 'default via 192.168.77.254 dev eth0', '1.25'],
  ['node10', 'lo', '10.00'],
]

test('a file gets one line a row, whatever its length, without spaces at the ends', () => {
  expect(table(columns, rows, Infinity).split('\n')).toEqual([
    'HOST    ENTRY                                   MS',
    'node1   default via 192.168.77.254 dev eth0   1.25',
    'node10  lo                                   10.00',
  ])
})

test('a narrow terminal gets whole words', () => {
  expect(table(columns, rows, 40).split('\n')).toEqual([
    'HOST    ENTRY                       MS',
    'node1   default via               1.25',
    '        192.168.77.254 dev eth0',
    'node10  lo                       10.00',
  ])
})

test('no rows: the titles alone', () => expect(table(columns, [], 80)).toBe('HOST  ENTRY  MS'))

test.each([
  { natural: [5, 30, 40], wraps: [false, true, true], columns: 60, widths: [5, 25, 26] },
  { natural: [5, 30, 40], wraps: [false, true, true], columns: 200, widths: [5, 30, 40] },
  { natural: [50, 30], wraps: [false, true], columns: 20, widths: [50, 18] },
  { natural: [50, 30], wraps: [false, false], columns: 20, widths: [50, 30] },
])('columns of $natural in $columns', ({ natural, wraps, columns, widths }) =>
  expect(fit(natural, wraps, columns)).toEqual(widths),
)

test('nothing is lost by wrapping, not even of a word that is too long', () => {
  const text = 'a /very/long/path/without/any/space b'
  const lines = wrap(text, 10)
  expect(lines.every((line) => line.length <= 10)).toBe(true)
  expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
  expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
})

test('pairs align; a long first one stands alone', () => {
  expect(
    pairs([
      ['a', 'first'],
      ['x'.repeat(60), 'second'],
    ]),
  ).toEqual([`  a${' '.repeat(41)}first`, `  ${'x'.repeat(60)}`, `${' '.repeat(44)}second`])
})

describe('what a host said', () => {
  const said = 'a\x1b[2J\u202e\x9b1m\nnode9  ok\x1b[32m\x07'

  test('forges no line and moves no cursor in a table', () => {
    const drawn = table(columns, [[said, said, '1']], Infinity)
    expect(drawn).not.toMatch(dangerous)
    expect(drawn.split('\n')).toHaveLength(2)
    expect(drawn).toContain('a\\u001b[2J\\u202e\\u009b1m\\nnode9  ok\\u001b[32m\\u0007')
  })

  test('is cut where it is long', () =>
    expect(table(columns, [['node1', 'x'.repeat(2 ** 20), '1']], Infinity).length).toBeLessThan(1200))

  test('is whole in JSON, in characters that no terminal acts on', () => {
    const text = jsonText({ said, plain: 'Größe 😀' })
    expect(text).not.toMatch(dangerous)
    expect(text).toContain('Größe')
    expect(JSON.parse(text)).toEqual({ said, plain: 'Größe 😀' })
  })

  test('any bytes: JSON is the same value, and harmless', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (any) => {
        expect(JSON.parse(jsonText([any]))).toEqual([any])
        expect(jsonText([any])).not.toMatch(dangerous)
      }),
    ))
})
