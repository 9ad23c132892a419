import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { main } from '../../cli/main.ts'
import { comparisonFile, survivalFile } from '../experiments/report/files.ts'

/** What the verb prints, and its status. */
async function report(...words: readonly string[]) {
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockReturnValue(true),
  )
  onTestFinished(() => streams.forEach((stream) => stream.mockRestore()))
  const status = await main(['report', ...words])
  const [stdout, stderr] = streams.map((stream) => stream.mock.calls.map(([piece]) => piece).join(''))
  streams.forEach((stream) => stream.mockRestore())
  return { status, stdout: absolute(stdout!), stderr: absolute(stderr!) }
}

/** A path is told from where one stands, if that is shorter: which it is depends on where this clone is. */
function absolute(text: string): string {
  return text.replaceAll(`${relative(process.cwd(), tmpdir())}/`, `${tmpdir()}/`)
}

/** A folder with the files that are named. */
function folder(...names: readonly ('comparison' | 'survival')[]): string {
  const made = mkdtempSync(join(tmpdir(), 'overlab-report-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  const texts = { comparison: comparisonFile, survival: survivalFile }
  for (const name of names) writeFileSync(join(made, `${name}.json`), JSON.stringify(texts[name]()))
  return made
}

test('a page of both files, told with what is in it', async () => {
  const made = folder('comparison', 'survival')
  const [comparison, survival, output] = ['comparison.json', 'survival.json', 'report.html'].map((file) =>
    join(made, file),
  )
  const { status, stdout, stderr } = await report('--comparison', comparison!, '--survival', survival!, '--output', output!) // prettier-ignore
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/report\.html: \d+ KiB, nothing else is needed to read it$/),
    `  comparison  7 variants, 11 measures, 5 rounds, from ${comparison}`,
    `  survival    13 faults, 6 variants, from ${survival}`,
    `  open it     file://${output}`,
    '',
  ])
  const page = readFileSync(output!, 'utf8')
  // Beside the page, so it is linked; and nobody's folder is in it.
  expect(page).toContain('href="comparison.json"')
  expect(page).not.toContain(made)
})

test('files elsewhere are named, not linked', async () => {
  const output = join(folder(), 'report.html')
  await report('--survival', join(folder('survival'), 'survival.json'), '-o', output)
  const page = readFileSync(output, 'utf8')
  expect(page).toContain('<code>survival.json</code>')
  expect(page).not.toContain('href="survival.json"')
})

test('a name that promises another form than HTML is refused, and nothing is written', async () => {
  const made = folder('survival')
  const output = join(made, 'report.pdf')
  expect(await report('--survival', join(made, 'survival.json'), '-o', output)).toEqual({
    status: 2,
    stdout: '',
    stderr: `overlab: --output ${output}: this verb writes an HTML page, no .pdf file; choose a name that ends in .html, open it and print it to a PDF\n`,
  })
  expect(existsSync(output)).toBe(false)
})

test('what can not be done is said, and nothing is written', async () => {
  const made = folder('comparison', 'survival')
  mkdirSync(join(made, 'sub'))
  writeFileSync(join(made, 'old.json'), JSON.stringify({ ...comparisonFile(), version: 0 }))
  const output = join(made, 'report.html')
  const at = (name: string) => join(made, name)
  const cases: readonly (readonly [words: readonly string[], status: number, said: string])[] = [
    [['--comparison', at('none.json')], 2, `${at('none.json')} can not be read: there is no such file; name another file by --comparison`],
    [['--survival', at('sub')], 2, `${at('sub')} can not be read: it is a folder; name another file by --survival`],
    [['--survival', at('comparison.json')], 1, `${at('comparison.json')}: kind: this is what overlab compare writes, not overlab survive; are the two files exchanged?`],
    [['--comparison', at('old.json')], 1, `${at('old.json')}: version: this overlab reads version 1, not 0; ./overlab compare makes it anew`],
  ] // prettier-ignore
  for (const [words, status, said] of cases) {
    expect(await report(...words, '-o', output)).toEqual({ status, stdout: '', stderr: `overlab: ${said}\n` })
    expect(existsSync(output)).toBe(false)
  }
  expect(await report('--survival', at('survival.json'), '-o', at('survival.json'))).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('would be overwritten by the page; choose another --output') as string,
  })
  expect(JSON.parse(readFileSync(at('survival.json'), 'utf8'))).toMatchObject({ kind: 'overlab.survival' })
})
