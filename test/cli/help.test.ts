/** --help of every verb, as it is printed into a pipe; every example in it is a line that works. */
import { execFileSync } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { overallHelp, verbHelp } from '../../cli/help.ts'
import { verbs } from '../../cli/verbs.ts'
import { readWords } from '../../cli/words.ts'

test('overlab --help', async () => {
  await expect(`${stripVTControlCharacters(overallHelp(verbs))}\n`).toMatchFileSnapshot('help/overlab.txt')
})

describe.each(Object.entries(verbs))('overlab %s --help', (name, { summary, load }) => {
  test('is as written down', async () => {
    const text = stripVTControlCharacters(verbHelp(summary, await load()))
    await expect(`${text}\n`).toMatchFileSnapshot(`help/${name}.txt`)
  })

  test('has examples, and a shell and overlab understand each', async () => {
    const verb = await load()
    expect(verb.examples.length).toBeGreaterThanOrEqual(2)
    for (const { line } of verb.examples) {
      const [first, own, ...rest] = wordsOf(line)
      expect([first, own]).toEqual(['overlab', name])
      expect(() => readWords(name, verb, rest)).not.toThrow()
    }
  })
})

/** The words that `npx` gets when a shell runs the line; what it is piped into is not run. */
function wordsOf(line: string): string[] {
  const script = `npx() { printf '%s\\0' "$@"; }; jq() { cat; }; ${line}`
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
}
