import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InventoryErrors, loadInventory, parseInventory } from '../../inventory/load.ts'
import { dangerous } from '../support/dangerous.ts'

const top =
  'lab: {name: lab, underlay: 192.168.77.0/24, overlay: {Network: 10.244.0.0/16, Backend: {Type: vxlan}}}\n'

function messageOf(text: string, file = 'lab.yaml'): string {
  try {
    parseInventory(text, file)
  } catch (error) {
    if (error instanceof InventoryErrors) return error.message
    throw error
  }
  return ''
}

const long = 'x'.repeat(2 ** 20)
test.each([
  ['a host', `${top}all: {hosts: {${long}: {}}}`, /is not a host name; |is not a name; /],
  ['a group without hosts', `${top}all: {children: {${long}: }, hosts: {node1: {}}}`, /no group x+/],
  ['a key', `${top}all: {hosts: {node1: {${long}: 1}}}`, /is an unknown key; /],
  ['a value', `${top}all: {hosts: {node1: {address: ${long}}}}`, /is not an IPv4 address; write/],
  [
    'a peer',
    `${top}all: {hosts: {node1: {impairments: {toward: {${long}: {loss: 1%}}}}}}`,
    /there is no host or group/,
  ],
  ['a pod', `${top}all: {hosts: {node1: {pods: [${long}]}}}`, /name/],
  ['an alias', `${top}all: *${long}`, /alias/],
  ['a machine', `${top}all: {hosts: {node1: {machine: ${long}}}}`, /is not known here; use one of/],
])('a name of a megabyte is cut, and what is wrong with it stays: %s', (_, text, wrong) => {
  const message = messageOf(text)
  expect(message).toMatch(wrong)
  for (const line of message.split('\n')) expect(line.length).toBeLessThan(1200)
  expect(message.length).toBeLessThan(5000)
})

test('bidi marks, escapes and line ends of keys, values and file names are written out', () => {
  const message = messageOf(
    `${top}all: {hosts: {"no\u202ede1": {address: "1.2\u0085\u2028.3"}, "node2\\e[2J": {"\\e]0;x\\a": 1}}}`,
    'a\x1b[31m\nb.yaml',
  )
  expect(message).not.toMatch(dangerous)
  expect(message).toContain('a\\u001b[31m\\nb.yaml:')
  expect(message).toContain('\\u202e')
  for (const line of message.split('\n')) expect(line).toMatch(/^a\\u001b/)
  expect(() => loadInventory('/no/such\x1b[2J')).toThrow('/no/such\\u001b[2J: there is no such file')
})

test('whatever stands in an inventory, its messages are harmless', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 700 }),
    fc.constantFrom('\x1b[2J', '\u202e', 'a\u2028b'),
  )
  fc.assert(
    fc.property(word, word, word, (key, value, file) => {
      for (const text of [
        `${top}all: {hosts: {${JSON.stringify(key)}: {address: ${JSON.stringify(value)}}}}`,
        `${top}all: {hosts: {node1: {${JSON.stringify(key)}: ${JSON.stringify(value)}}}}`,
        `${top}${key}: ${value}`,
        `lab: {name: ${JSON.stringify(value)}}`,
      ]) {
        const message = messageOf(text, file)
        expect(message).not.toMatch(dangerous)
        for (const line of message.split('\n')) expect(line.length).toBeLessThan(1200)
      }
    }),
  )
}, 60_000)
