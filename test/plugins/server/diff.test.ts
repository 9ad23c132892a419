import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffValues, equal, propertyPath } from '../../../plugins/server/diff.ts'
import {
  archiveSignature,
  assetSignature,
  secret,
  signatureKey,
  unknown,
} from '../../../plugins/server/values.ts'
import type { Value, Values } from '../../../plugins/server/values.ts'

const asset = (fields: Values) => ({ [signatureKey]: assetSignature, ...fields })
const archive = (fields: Values) => ({ [signatureKey]: archiveSignature, ...fields })

test.each<[string, Value | undefined, Value | undefined, string[]]>([
  ['added', undefined, 1, ['add x']],
  ['deleted', 1, undefined, ['delete x']],
  ['updated', 1, '1', ['update x']],
  ['null is a value', null, undefined, ['delete x']],
  ['an object inside', { a: { b: 1, c: 2 } }, { a: { b: 1, c: 3, d: 4 } }, ['update x.a.c', 'add x.a.d']],
  ['keys that are no words', { '10.0.0.0/8': 'a' }, { '10.0.0.0/8': 'b' }, ['update x["10.0.0.0/8"]']],
  ['a list that grows', [1], [1, 2], ['add x[1]']],
  ['a list that shrinks', [1, 2], [2], ['update x[0]', 'delete x[1]']],
  ['another kind', { a: 1 }, [1], ['update x']],
  ['a secret that stays', secret({ a: 1 }), { a: 1 }, []],
  ['a secret is named as a whole', secret({ a: 1 }), secret({ a: 2 }), ['update x']],
  ['what is not known yet', 1, unknown, ['update x']],
  ['the same file elsewhere', asset({ hash: '1', path: '/a' }), asset({ hash: '1', text: 'b' }), []],
  ['another file', asset({ hash: '1', path: '/a' }), asset({ hash: '2', path: '/a' }), ['update x']],
  ['without hashes, where it is from', asset({ path: '/a' }), asset({ path: '/b' }), ['update x']],
  ['an archive is no asset', asset({ hash: '1' }), archive({ hash: '1' }), ['update x']],
])('%s', (_, old, now, changes) => {
  const of = (value: Value | undefined) => (value === undefined ? {} : { x: value })
  expect(diffValues(of(old), of(now)).map(({ kind, path }) => `${kind} ${path}`)).toEqual(changes)
})

test('no change and only no change is equality', () => {
  const values = fc.object({
    maxDepth: 3,
    key: fc.constantFrom('a', 'b', 'c'),
    values: [fc.nat(2), fc.constant(null)],
  })
  fc.assert(
    fc.property(values, values, (olds, news) => {
      const [a, b] = [olds as Values, news as Values]
      // Empty objects and lists have no property to name.
      fc.pre(!/\{\}|\[\]/.test(JSON.stringify([a, b]).slice(1, -1)))
      expect(diffValues(a, a)).toEqual([])
      expect(diffValues(a, b).length === 0).toBe(equal(a, b))
    }),
  )
})

test('paths', () => {
  expect(propertyPath('', 'a')).toBe('a')
  expect(propertyPath('a', 'b')).toBe('a.b')
  expect(propertyPath('a', 'b-c')).toBe('a["b-c"]')
  expect(propertyPath('a', 'say "b"')).toBe('a["say \\"b\\""]')
})
