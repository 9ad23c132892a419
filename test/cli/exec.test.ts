import { expect, test } from 'vitest'
import { collector } from '../../cli/exec.ts'

test('--json keeps the beginning of an output, and counts the rest', async () => {
  const { into, text, dropped } = collector(5)
  for (const chunk of ['abc', 'def', 'ghi'])
    await new Promise<void>((done) => into.write(Buffer.from(chunk), () => done()))
  expect(text()).toBe('abcde')
  expect(dropped()).toBe(4)
})

test('what fits is whole, also where a character comes in two pieces', () => {
  const { into, text, dropped } = collector(100)
  const bytes = Buffer.from('Größe')
  into.write(bytes.subarray(0, 3))
  into.write(bytes.subarray(3))
  expect(text()).toBe('Größe')
  expect(dropped()).toBe(0)
})
