import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  containsSecret,
  containsUnknown,
  fromStruct,
  isSecret,
  isUnknown,
  outputSignature,
  plain,
  secret,
  signatureKey,
  toStruct,
  unknown,
} from '../../../plugins/server/values.ts'
import type { Values } from '../../../plugins/server/values.ts'

const output = (fields: Values) => ({ [signatureKey]: outputSignature, ...fields })

test('what goes over the wire comes back as it was', () => {
  const value = fc.object({
    // google-protobuf assigns by it.
    key: fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__'),
    values: [fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null), fc.double({ noNaN: true })],
  })
  fc.assert(
    fc.property(value, (values) => {
      expect(fromStruct(toStruct(values))).toEqual(values)
    }),
  )
})

test('undefined is left out; half a surrogate pair does no harm', () => {
  expect(fromStruct(toStruct({ a: undefined, b: '\ud800x' }))).toEqual({ b: '\ufffdx' })
})

test('plain takes the marks off, at every depth', () => {
  const value = {
    a: secret('s'),
    b: [secret({ c: secret(1) })],
    d: output({ value: 'o', secret: true }),
    e: output({}),
  }
  expect(plain(value)).toEqual({ a: 's', b: [{ c: 1 }], d: 'o', e: unknown })
})

test('what is secret, and what is unknown', () => {
  expect(isSecret(secret('a'))).toBe(true)
  expect(secret(secret('a'))).toEqual(secret('a'))
  expect(isSecret(output({ value: 1, secret: true }))).toBe(true)
  expect(isSecret(output({ value: 1 }))).toBe(false)
  expect(containsSecret({ a: [{ b: secret(null) }] })).toBe(true)
  expect(containsSecret({ a: [{ b: 'text' }] })).toBe(false)
  expect(isUnknown(unknown)).toBe(true)
  expect(isUnknown(output({}))).toBe(true)
  expect(isUnknown(output({ value: null }))).toBe(false)
  expect(containsUnknown({ a: [secret(unknown)] })).toBe(true)
  expect(containsUnknown({ a: ['known'] })).toBe(false)
})
