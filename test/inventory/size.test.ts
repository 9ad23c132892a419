/** What a large inventory costs: ten times the text takes ten times the work, and no depth of groups ends the stack. */
import { describe, expect, it } from 'vitest'
import type { Inventory } from '../../inventory/inventory.ts'
import { fromRepository } from '../../tools/paths.ts'
import { countWork } from '../support/work.ts'

const workOf = countWork([fromRepository('inventory/'), '/yaml/', '/zod/', '/fastest-levenshtein/'])
const { InventoryErrors, parseInventory } = await import('../../inventory/load.ts')
type Wrong = InstanceType<typeof InventoryErrors>

const head = `lab:
  name: lab
  underlay: 10.1.0.0/16
  overlay: { Network: 10.244.0.0/14, SubnetLen: 24, Backend: { Type: vxlan } }
all:
`
const lines = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, index) => `${line(index + 1)}\n`).join('')

/** By the number of lines. */
const inventories: Readonly<Record<string, (count: number) => string>> = {
  'a broken flow sequence': (n) => `${head}  hosts: {a: [${'}{,'.repeat(n)}\n`,
  'unknown keys': (n) => `${head}  hosts:\n    node1:\n${lines(n, (i) => `      key${i}: 1`)}`,
  'unknown keys, and as many aliases': (n) =>
    `${head}  hosts:\n    node1:\n${lines(n, (i) => `      key${i}: 1\n      kez${i}: *a`)}`,
  'groups that are not written out': (n) =>
    `${head}  children:\n${lines(n, (i) => `    a${i}: {}\n    b${i}:`)}`,
  'peers that are not there': (n) =>
    `${head}  hosts:\n    node[1:9]:\n  vars:\n    impairments:\n      toward:\n${lines(n, (i) => `        nide${i}: {}`)}`,
  'groups one below the other': (n) =>
    `${head}  children:\n${lines(n, (i) => `    g${i}: {children: {g${i + 1}: }}`)}    g${n + 1}: {hosts: {node1: }}\n`,
  'the same hosts in many groups': (n) =>
    `${head}  children:\n${lines(n, (i) => `    g${i}: {hosts: {"node[1:9]": }}`)}`,
  'acts of nine hosts': (n) =>
    `${head}  hosts:\n    node[1:9]:\n  vars:\n    bootstrap:\n${lines(n, (i) => `      - run: echo ${i}`)}`,
  'keys that are there twice': (n) => `${head}${lines(n, () => '  vars:')}`,
}

function read(text: string): Inventory | Wrong {
  try {
    return parseInventory(text, 'f.yaml')
  } catch (error) {
    if (error instanceof InventoryErrors) return error
    throw error
  }
}

describe('ten times the text, ten times the work', () => {
  it.each(Object.entries(inventories))('%s', (_, text) => {
    read(text(400))
    const [one, ten] = [400, 4000].map((count) => workOf(() => void read(text(count))))
    expect(one).toBeGreaterThan(1000)
    expect(ten! / one!).toBeLessThan(11)
  })

  it('acts of all hosts are read once, not once for each host', () => {
    const text = (hosts: number) =>
      `${head}  hosts:\n    node[1:${hosts}]:\n  vars:\n    bootstrap:\n${lines(500, (i) => `      - run: echo ${i}`)}`
    const [few, many] = [10, 1000].map((hosts) => workOf(() => void read(text(hosts))))
    // A thousand hosts have work of their own, but not five hundred acts each.
    expect(many! - few!).toBeLessThan(1000 * 500)
  })
})

describe('a large inventory', () => {
  it('may have a chain of 8,000 groups', () => {
    const inventory = read(inventories['groups one below the other']!(8000)) as Inventory
    expect(inventory.hosts[0]?.groups).toHaveLength(8001)
    expect(inventory.hosts[0]?.groups.slice(0, 2)).toEqual(['g1', 'g2'])
  })

  it('may not have a circle of 8,000 groups, and the message stays short', () => {
    const text = inventories['groups one below the other']!(8000).replace(
      '{hosts: {node1: }}',
      '{children: {g1: }}',
    )
    expect((read(text) as Wrong).message).toBe(
      'f.yaml:8007:24 all.children.g8001.children.g1: the group is below itself: g1 > g2 > g3 > g4 > g5 > ... > g7998 > g7999 > g8000 > g8001 > g1; remove one of these steps',
    )
  })

  it.each(['a broken flow sequence', 'unknown keys', 'groups that are not written out'])(
    'has its first 50 mistakes told, and a count: %s',
    (name) => {
      const { message, mistakes } = read(inventories[name]!(10_000)) as Wrong
      expect(mistakes).toHaveLength(50)
      const told = message.split('\n')
      expect(told).toHaveLength(51)
      expect(told.at(-1)).toMatch(/^and (9950|\d{5}) more mistakes; correct these first$/)
      const places = mistakes.map(({ line, column }) => line * 1e6 + column)
      expect(places).toEqual(places.toSorted((a, b) => a - b))
    },
  )

  it('with 1,000 hosts and 1,000 acts is read', () => {
    const text = `${head}  hosts:\n    node[1:1000]:\n  vars:\n    bootstrap:\n${lines(1000, (i) => `      - run: echo ${i}`)}`
    const { hosts } = read(text) as Inventory
    expect(hosts.map(({ bootstrap }) => bootstrap.length)).toEqual(Array(1000).fill(1000))
  })
})
