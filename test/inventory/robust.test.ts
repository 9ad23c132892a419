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

function hasPlaces(lines: 'right' | string[]): void {
  if (lines === 'right') return
  expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) expect(line).toMatch(/^f\.yaml:[1-9]\d*:[1-9]\d*( .+)?: .+; ./u)
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
      hasPlaces(answer(stringify({ lab, all }, { aliasDuplicateObjects: false })))
      hasPlaces(answer(stringify(more, { aliasDuplicateObjects: false })))
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
        const result = answer(changed)
        hasPlaces(result)
        if (result !== 'right') refused++
      },
    ),
    { numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(100)
})

it('any text at all', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => hasPlaces(answer(text))),
    { numRuns: 500 },
  )
  hasPlaces(answer('['.repeat(20_000)))
  hasPlaces(answer('\u0000'))
  hasPlaces(answer('\uFEFF'))
})
