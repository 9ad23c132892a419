import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InventoryErrors, loadInventory } from '../../inventory/load.ts'
import { inventoryText } from './inventory-text.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'overlab-inventory-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function errorOf(name: string): InventoryErrors {
  try {
    loadInventory(join(folder, name))
  } catch (error) {
    if (error instanceof InventoryErrors) return error
    throw error
  }
  throw new Error('it is not refused')
}

describe('loadInventory', () => {
  it('says that there is no file', () =>
    expect(errorOf('none.yaml').message).toBe(`${folder}/none.yaml: there is no such file; check the path`))

  it('says that it is a folder', () => {
    mkdirSync(join(folder, 'lab'))
    expect(errorOf('lab').message).toBe(`${folder}/lab: is a folder; name the inventory file in it`)
  })

  it('says that it is no text', () => {
    writeFileSync(join(folder, 'lab.yaml'), Buffer.from([0x6c, 0xff, 0xfe]))
    expect(errorOf('lab.yaml').message).toBe(`${folder}/lab.yaml: is not UTF-8 text; save it as UTF-8`)
  })

  it('refuses folders of variables next to it, which it would drop', () => {
    writeFileSync(join(folder, 'lab.yaml'), inventoryText({ hosts: { node1: null } }))
    expect(loadInventory(join(folder, 'lab.yaml')).hosts).toHaveLength(1)
    mkdirSync(join(folder, 'group_vars'))
    mkdirSync(join(folder, 'host_vars'))
    const why = 'overlab does not read this folder, which Ansible reads with every inventory next to it'
    const away = 'then the folder away, or the inventory into a folder of its own'
    expect(errorOf('lab.yaml').message.split('\n')).toEqual([
      `${folder}/group_vars: ${why}; move its variables into vars: of the groups in ${folder}/lab.yaml, ${away}`,
      `${folder}/host_vars: ${why}; move its variables into the hosts' own keys in ${folder}/lab.yaml, ${away}`,
    ])
  })

  it('looks for sources of acts on the disk', () => {
    const text = inventoryText({ hosts: { node1: { bootstrap: [{ copy: 'motd', to: '/etc/motd' }] } } })
    writeFileSync(join(folder, 'lab.yaml'), text)
    expect(errorOf('lab.yaml').message).toContain(
      `there is no motd beside the inventory; make ${folder}/motd`,
    )
    writeFileSync(join(folder, 'motd'), 'hello')
    expect(loadInventory(join(folder, 'lab.yaml')).hosts[0]?.bootstrap).toMatchObject([
      { copy: join(folder, 'motd') },
    ])
  })

  it('reads a file with a byte order mark and the line ends of Windows', () => {
    writeFileSync(
      join(folder, 'lab.yaml'),
      `\uFEFF${inventoryText({ hosts: { node1: null } }).replaceAll('\n', '\r\n')}`,
    )
    expect(loadInventory(join(folder, 'lab.yaml')).hosts).toHaveLength(1)
  })

  it('shows no stack trace, and keeps each mistake as a value', () => {
    writeFileSync(join(folder, 'lab.yaml'), inventoryText({ hosts: { node1: { pods: -1 } } }))
    const error = errorOf('lab.yaml')
    expect(error.stack).toBe(error.message)
    expect(error.mistakes).toMatchObject([
      { line: 11, column: 13, path: ['all', 'hosts', 'node1', 'pods'], todo: 'use 0 or more' },
    ])
  })
})
