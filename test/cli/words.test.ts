/** Command lines, and what is made of them or said about them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { asksForHelp, readWords } from '../../cli/words.ts'
import { verbs } from '../../cli/verbs.ts'

interface Case {
  readonly line: readonly [string, ...string[]]
  readonly error?: string
  readonly words?: readonly string[]
  readonly options?: object
  readonly command?: readonly string[]
}
const cases = JSON.parse(readFileSync(join(import.meta.dirname, 'words.json'), 'utf8')) as Case[]

test.each(cases)('$line', async ({ line: [name, ...rest], error, words, options, command }) => {
  const verb = await verbs[name]!.load()
  if (error !== undefined)
    return expect(() => readWords(name, verb, rest)).toThrow(
      expect.objectContaining({ message: error, status: 2 }),
    )
  expect(readWords(name, verb, rest)).toMatchObject({ words, options, command })
})

test.each([
  { line: ['--help'], help: true },
  { line: ['node1', '-h'], help: true },
  { line: ['node1', '--', 'ls', '--help'], help: false },
  { line: ['routes'], help: false },
])('$line asks for help: $help', ({ line, help }) => expect(asksForHelp(line)).toBe(help))
