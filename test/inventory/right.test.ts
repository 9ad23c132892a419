/** Whole inventories and all that becomes of them; `npx vitest run test/inventory -u` rewrites the results. */
import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadInventory } from '../../inventory/load.ts'

const root = join(import.meta.dirname, '../..')
// Not inventory/lab.yaml, which is for users to edit: a copy of it is in right/.
const shipped = ['inventory/example-groups.yaml']
const own = readdirSync(join(import.meta.dirname, 'right'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => `test/inventory/right/${file}`)

describe('right inventories', () => {
  it.each([...shipped, ...own])('%s', async (file) => {
    const inventory = loadInventory(join(root, file))
    const golden = join(import.meta.dirname, 'right', file.replace(/^.*\//, '').replace(/yaml$/, 'json'))
    expect(existsSync(golden)).toBe(true)
    const text = JSON.stringify(inventory, (_, value: unknown) => shorten(value), 2)
    await expect(`${text}\n`).toMatchFileSnapshot(golden)
  })
})

/** Paths as seen from the project's root, so that the result is the same wherever it lies. */
function shorten(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(root) ? relative(root, value) : value
}
