/** What an act's environment refers to: resolved where a lab is made, and a mistake with its place where it is missing. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { InventoryErrors, parseInventory } from '../../inventory/load.ts'
import { controllerSources, resolved, type Sources } from '../../inventory/references.ts'
import { inventoryText } from './inventory-text.ts'

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'overlab-references-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

const sources: Sources = {
  variable: (name) => ({ TOKEN: 'hunter2', EMPTY: '', ZERO: 'a\0b', LONG: 'x'.repeat(100_001) })[name],
  file: controllerSources.file,
}

const texts = [
  { value: 'as it is', text: 'as it is' },
  { value: '', text: '' },
  { value: { from_env: 'TOKEN' }, text: 'hunter2' },
  { file: 'one line\n', text: 'one line' },
  { file: '\n two\n lines \n\n', text: '\n two\n lines ' },
]

test.each(texts)('$value$file is $text', ({ value, file, text }) => {
  const path = join(folder(), 'value')
  if (file !== undefined) writeFileSync(path, file)
  expect(resolved(value ?? { from_file: path }, sources)).toEqual({ text })
})

test.each([
  { value: { from_env: 'NONE' }, what: 'the variable NONE is not set' },
  { value: { from_env: 'EMPTY' }, what: 'the variable EMPTY is empty' },
  { value: { from_env: 'ZERO' }, what: 'the variable ZERO holds a zero byte' },
  { value: { from_env: 'LONG' }, what: 'the variable LONG is longer than 100000 bytes' },
  { file: undefined, what: 'there is no file PATH' },
  { file: '\n\n', what: 'the file PATH is empty' },
  { file: Buffer.from([0xff, 0xfe]), what: 'the file PATH is not UTF-8 text' },
  { file: 'hunter2\0', what: 'the file PATH holds a zero byte' },
])('$what', ({ value, file, what }) => {
  const path = join(folder(), 'value')
  if (file !== undefined) writeFileSync(path, file)
  const found = resolved(value ?? { from_file: path }, sources)
  expect(found).toMatchObject({ what: what.replace('PATH', path) })
  expect(JSON.stringify(found)).not.toContain('hunter2')
})

test('a folder is no file', () =>
  expect(resolved({ from_file: tmpdir() }, sources)).toMatchObject({ what: `${tmpdir()} is a folder` }))

const text = inventoryText({
  hosts: {
    node1: {
      bootstrap: [
        {
          name: 'join',
          run: 'true',
          environment: { A: 'plain', B: { from_env: 'NONE' }, C: { from_file: 'secrets/token' } },
        },
      ],
    },
  },
})

test('what is missing is a mistake with its place, where the lab is made', () => {
  const parse = () => parseInventory(text, 'lab.yaml', {}, () => true, false, sources)
  expect(parse).toThrow(InventoryErrors)
  expect(parse).toThrow(
    /^lab\.yaml:\d+:\d+ all\.hosts\.node1\.bootstrap\[0\]\.environment\.B: the variable NONE is not set; export NONE in the shell that runs overlab\nlab\.yaml:\d+:\d+ all\.hosts\.node1\.bootstrap\[0\]\.environment\.C: there is no file secrets\/token; make it, or correct the path$/,
  )
})

test('a path is relative to the inventory; a verb that needs no value asks for none, and keeps the reference', () => {
  const made = folder()
  mkdirSync(join(made, 'secrets'))
  writeFileSync(join(made, 'secrets', 'token'), 'hunter2\n')
  chmodSync(join(made, 'secrets', 'token'), 0o600)
  const file = join(made, 'lab.yaml')
  const inventory = parseInventory(text, file)
  expect(inventory.hosts[0]?.bootstrap).toMatchObject([
    {
      name: 'join',
      environment: { A: 'plain', B: { from_env: 'NONE' }, C: { from_file: join(made, 'secrets', 'token') } },
    },
  ])
  expect(JSON.stringify(inventory)).not.toContain('hunter2')
  expect(() => parseInventory(text, file, {}, () => true, false, sources)).toThrow(
    /^[^\n]*environment\.B: the variable NONE is not set; [^\n]*$/,
  )
})

test('acts that differ in a reference only are two', () => {
  const acts = [{ from_env: 'A' }, { from_env: 'B' }, { from_file: 'B' }, 'B'].map((value) => ({
    run: 'true',
    environment: { TOKEN: value },
  }))
  const { hosts } = parseInventory(inventoryText({ hosts: { node1: { bootstrap: acts } } }), 'lab.yaml')
  expect(new Set(hosts[0]?.bootstrap.map(({ name }) => name)).size).toBe(4)
})
