import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { main } from '../../cli/main.ts'
import { fromRepository } from '../../tools/paths.ts'

beforeEach(() => {
  vi.stubEnv('PULUMI_STACK', 'default-lab')
  return () => vi.unstubAllEnvs()
})

/** What the verb prints, and its status. */
async function graph(...words: readonly string[]) {
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockReturnValue(true),
  )
  onTestFinished(() => streams.forEach((stream) => stream.mockRestore()))
  const status = await main(['graph', '--quiet', ...words])
  const [stdout, stderr] = streams.map((stream) => stream.mock.calls.map(([piece]) => piece).join(''))
  streams.forEach((stream) => stream.mockRestore())
  return { status, stdout: stdout!, stderr: stderr! }
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'overlab-graph-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

test.each([
  [[], '<svg '],
  [['--format', 'svg'], '<svg '],
  [['-f', 'mermaid'], '%%{init: '],
  [['-f', 'dot'], 'graph lab {\n'],
])('graph %j', async (words, start) => {
  const { status, stdout, stderr } = await graph(...words)
  expect({ status, stderr, start: stdout.slice(0, start.length) }).toEqual({ status: 0, stderr: '', start })
})

test.each([
  ['lab.svg', [], '<svg '],
  ['lab', [], '<svg '],
  ['lab.mmd', [], '%%{init: '],
  ['lab.GV', [], 'graph lab {\n'],
  ['lab.svg', ['--format', 'dot'], 'graph lab {\n'],
  ['lab.png', ['--format', 'dot'], 'graph lab {\n'],
  ['lab.monday', [], '<svg '],
])('--output %s %j', async (name, words, start) => {
  const file = join(folder(), name)
  expect(await graph(...words, '--output', file)).toEqual({ status: 0, stdout: '', stderr: '' })
  expect(readFileSync(file, 'utf8').slice(0, start.length)).toBe(start)
})

test.each([
  [
    'x.png',
    './overlab graph --stack default-lab --format dot | dot -Tpng -Gbgcolor=white -o FILE makes it (apt-get install graphviz)',
  ],
  [
    'x.PDF',
    './overlab graph --stack default-lab --format dot | dot -Tpdf -Gbgcolor=white -o FILE makes it (apt-get install graphviz)',
  ],
  ['x.txt', 'choose a name that ends in .svg, .mmd, .mermaid, .dot, .gv, or say --format'],
])('--output %s promises what is not written: nothing is written', async (name, todo) => {
  const file = join(folder(), name)
  const ending = extname(file).toLowerCase()
  expect(await graph('--output', file)).toEqual({
    status: 2,
    stdout: '',
    stderr: `overlab: --output ${file}: this verb writes SVG, Mermaid or dot, no ${ending} file; ${todo.replace('FILE', file)}\n`,
  })
  expect(existsSync(file)).toBe(false)
})

test('the picture in the documentation is what the command makes', async () => {
  const { stdout } = await graph()
  expect(stdout).toBe(readFileSync(fromRepository('docs/images/lab-vxlan.svg'), 'utf8'))
})

test('what can not be done is said, and what to do', async () => {
  const made = folder()
  expect(await graph('--output', made)).toMatchObject({
    status: 2,
    stderr: `overlab: ${made} can not be written: it is a folder; choose another --output\n`,
  })
  expect(await graph('--output', join(made, 'no', 'lab.svg'))).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('can not be written: its folder does not exist') as string,
  })
  expect(await graph('--format', 'sgv')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('Allowed choices are svg, mermaid, dot') as string,
  })
})
