/** Whatever the text, the answer is an inventory or mistakes with a place; never another exception. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import { InventoryErrors, parseInventory } from '../../inventory/load.ts'

const keys = [
  'lab',
  'all',
  'name',
  'underlay',
  'mtu',
  'overlay',
  'Network',
  'SubnetLen',
  'SubnetMin',
  'SubnetMax',
  'Backend',
  'Type',
  'VNI',
  'Port',
  'MTU',
  'hosts',
  'children',
  'vars',
  'node1',
  'node[1:3]',
  'web',
  'pods',
  'bootstrap',
  'run',
  'copy',
  'to',
  'address',
  'number',
  'subnet',
  '__proto__',
  'constructor',
  'toString',
  '',
  '<<',
  'é\u{1f600}',
  'number_from',
  'ansible_group_priority',
]
const scalars = [
  'vxlan',
  'udp',
  '10.244.0.0/16',
  '192.168.77.0/24',
  '10.244.1.0',
  'lab',
  'node1',
  '',
  null,
  true,
  0,
  -1,
  3,
  24,
  1500,
  1.5,
  1e30,
  '3',
]

function answer(text: string): 'right' | string[] {
  try {
    parseInventory(text, 'f.yaml')
    return 'right'
  } catch (error) {
    if (!(error instanceof InventoryErrors)) throw error
    return error.message.split('\n')
  }
}

/** Every mistake has its place, one that the text has; there are at most fifty, and a count. */
function hasPlaces(told: 'right' | string[], text: string): void {
  if (told === 'right') return
  expect(told.length).toBeGreaterThan(0)
  const more = /^and \d+ more mistakes?; correct these first$/.test(told.at(-1) ?? '')
  const mistakes = more ? told.slice(0, -1) : told
  expect(mistakes.length).toBeLessThanOrEqual(50)
  if (more) expect(mistakes).toHaveLength(50)
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  for (const mistake of mistakes) {
    const [, line, column] = /^f\.yaml:([1-9]\d*):([1-9]\d*)( .+)?: .+; ./u.exec(mistake)?.map(Number) ?? []
    expect(line, mistake).toBeLessThanOrEqual(lines.length)
    expect(column, mistake).toBeLessThanOrEqual(Math.max(lines[line! - 1]!.length, 1))
  }
}

function check(text: string): 'right' | string[] {
  const told = answer(text)
  hasPlaces(told, text)
  return told
}

it('any map of known and strange words', () => {
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 7, withCrossShrink: true },
      fc.constantFrom(...scalars),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc
        .array(fc.tuple(fc.constantFrom(...keys), tie('tree')), { maxLength: 6 })
        .map((pairs) => Object.fromEntries(pairs)),
    ),
  }))
  fc.assert(
    fc.property(tree, tree, tree, (lab, all, more) => {
      check(stringify({ lab, all }, { aliasDuplicateObjects: false }))
      check(stringify(more, { aliasDuplicateObjects: false }))
    }),
    { numRuns: 500 },
  )
})

it('the example with any one value exchanged', () => {
  const text = readFileSync(new URL('../../inventory/example-groups.yaml', import.meta.url), 'utf8')
  const lines = text.split('\n')
  let refused = 0
  fc.assert(
    fc.property(
      fc.nat({ max: lines.length - 1 }),
      fc.constantFrom(...scalars, '[', '*a', '&a', '!x', '{}', '"'),
      (index, value) => {
        const changed = lines
          .with(index, (lines[index] ?? '').replace(/: .*/, `: ${String(value)}`))
          .join('\n')
        if (check(changed) !== 'right') refused++
      },
    ),
    { numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(100)
})

it('any text at all', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => void check(text)),
    { numRuns: 500 },
  )
  check('['.repeat(20_000))
  check('\u0000')
  check('\uFEFF')
})

it('an inventory of a lab and one of existing hosts, torn at random', () => {
  const whole = ['../../inventory/example-groups.yaml', 'right/ssh-hosts.yaml'].map((file) =>
    readFileSync(new URL(file, import.meta.url), 'utf8'),
  )
  const piece = fc.oneof(
    fc.constantFrom(
      ...'[]{}:,-#&*!|>\'"%@`?\t\n\r\\ \u0085\u2028\u202e\uFEFF',
      '- ',
      ': ',
      '\n\n',
      '---\n',
      '<<: *a',
    ),
    fc.constantFrom(...keys, ...scalars.map(String)),
    fc.string({ unit: 'binary', maxLength: 5 }),
  )
  const tear = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    take: fc.nat({ max: 40 }),
    put: piece,
    times: fc.constantFrom(1, 1, 1, 2, 300),
  })
  let refused = 0
  fc.assert(
    fc.property(fc.constantFrom(...whole), fc.array(tear, { minLength: 1, maxLength: 6 }), (text, tears) => {
      const torn = tears.reduce((rest, { at, take, put, times }) => {
        const start = Math.floor(at * rest.length)
        return rest.slice(0, start) + put.repeat(times) + rest.slice(start + take)
      }, text)
      if (check(torn) !== 'right') refused++
    }),
    { numRuns: 1000 },
  )
  expect(refused).toBeGreaterThan(500)
})
