/** Result files: what an experiment wrote can be read, and nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import * as z from 'zod'
import { readResult } from '../../cli/result-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'overlab-result-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const schema = z.strictObject({ kind: z.literal('a'), value: z.number() })

test('what is written is read', () => {
  const file = join(folder, 'a.json')
  writeFileSync(file, '{"kind":"a","value":3}')
  expect(readResult(file, schema, 'measure')).toEqual({ kind: 'a', value: 3 })
})

test.each([
  ['no such file', undefined, /can not be read: ENOENT/],
  ['no JSON', '{', /is no JSON; \.\/overlab measure --output FILE writes one/],
  ['another result', '{"kind":"b","value":3}', /is no result of measure/],
])('%s is told', (name, text, said) => {
  const file = join(folder, name)
  if (text !== undefined) writeFileSync(file, text)
  expect(() => readResult(file, schema, 'measure')).toThrow(said)
})
