/** --help of every verb, as it is printed into a pipe; every example in it is a line that works. */
import { execFileSync } from 'node:child_process'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { main } from '../../cli/main.ts'
import { verbs } from '../../cli/verbs.ts'
import { readLine } from './read-line.ts'

test('overlab --help', async () => {
  const help = await printedBy('--help')
  await expect(help).toMatchFileSnapshot('help/overlab.txt')
  expect(await printedBy()).toBe(help)
  expect(await printedBy('help')).toBe(help)
})

test('only the verb that is asked for is loaded', async () => {
  const loads = Object.entries(verbs).map(([name, verb]) => ({ name, load: vi.spyOn(verb, 'load') }))
  onTestFinished(() => loads.forEach(({ load }) => load.mockRestore()))
  const loaded = () => loads.filter(({ load }) => load.mock.calls.length > 0).map(({ name }) => name)
  await printedBy('--help')
  expect(loaded()).toEqual([])
  await printedBy('plan', '--help')
  await printedBy('help', 'show')
  expect(loaded()).toEqual(['plan', 'show'])
})

describe.each(Object.keys(verbs))('overlab %s --help', (verb) => {
  test('is as written down', async () => {
    const help = await printedBy(verb, '--help')
    await expect(help).toMatchFileSnapshot(`help/${verb}.txt`)
    expect(await printedBy('help', verb)).toBe(help)
  })

  test('has examples, and a shell and overlab understand each', async () => {
    const [, examples = ''] = (await printedBy(verb, '--help')).split('\nExamples:\n')
    const lines = examples.matchAll(/^ {2}(\.\/overlab .*?)(?: {2,}.*)?$/gm).map((match) => match[1]!)
    const read = await Promise.all(lines.map((line) => readLine(wordsOf(line))))
    expect(read.length).toBeGreaterThanOrEqual(2)
  })
})

async function printedBy(...line: readonly string[]): Promise<string> {
  const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => print.mockRestore())
  const status = await main(line)
  const text = print.mock.calls.map(([piece]) => piece).join('')
  print.mockRestore()
  expect(status).toBe(0)
  return text
}

/** The words that overlab gets when a shell runs the line; what it is piped into is not run. */
function wordsOf(line: string): string[] {
  const script = `words() { printf '%s\\0' "$@"; }; jq() { cat; }; ${line.replace('./overlab', 'words')}`
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
}
