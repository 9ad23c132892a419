/** Command lines, and what is made of them or said about them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { main } from '../../cli/main.ts'
import { readLine } from './read-line.ts'

interface Case {
  readonly line: readonly string[]
  readonly error?: string
  readonly words?: readonly unknown[]
  readonly options?: object
}
const cases = JSON.parse(readFileSync(join(import.meta.dirname, 'lines.json'), 'utf8')) as Case[]

test.each(cases.filter(({ error }) => error === undefined))('$line', async ({ line, words, options }) =>
  expect(await readLine(line)).toEqual({ words, options }),
)

test.each(cases.filter(({ error }) => error !== undefined))('$line is wrong', async ({ line, error }) => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  onTestFinished(() => said.mockRestore())
  const status = await main(line)
  expect({ status, said: said.mock.calls }).toEqual({ status: 2, said: [[`overlab: ${error}\n`]] })
})
