/** An inventory that is written out loads to the same hosts: nothing is lost, nothing is counted anew. */
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { Host } from '../../inventory/inventory.ts'
import { loadInventory, parseInventory } from '../../inventory/load.ts'
import { inventoryText } from '../../inventory/write.ts'

const folder = new URL('right/', import.meta.url).pathname
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))

/** Groups are not kept; sources of files get absolute; `address` stands for Ansible's name for it. */
function kept({ groups: _, bootstrap, vars: { ansible_host: __, ...vars }, ...host }: Host): object {
  return {
    ...host,
    vars,
    bootstrap: bootstrap.map((act) => ('copy' in act ? { ...act, copy: resolve(act.copy) } : act)),
  }
}

test.each([...files.map((file) => folder + file), 'inventory/example-groups.yaml'])('%s', (file) => {
  const inventory = loadInventory(file)
  const again = parseInventory(inventoryText(inventory), '/elsewhere/lab.yaml')
  expect(again.lab).toEqual(inventory.lab)
  expect(again.hosts.map(kept)).toEqual(inventory.hosts.map(kept))
})
