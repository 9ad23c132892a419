/** Every wrong inventory beside the exact text of its errors; `npx vitest run test/inventory -u` rewrites the texts. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { InventoryErrors, parseInventory } from '../../inventory/load.ts'

const folder = join(import.meta.dirname, 'wrong')
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))

/** What a user reads; fails where there is nothing to read. */
function complaint(file: string): string {
  try {
    parseInventory(readFileSync(join(folder, file), 'utf8'), file, {}, (path) =>
      existsSync(join(folder, path)),
    )
  } catch (error) {
    if (error instanceof InventoryErrors) return error.message
    throw error
  }
  throw new Error(`${file} is not refused`)
}

describe('wrong inventories', () => {
  it('has a text for every inventory and an inventory for every text', () => {
    const texts = readdirSync(folder).filter((file) => file.endsWith('.txt'))
    expect(texts.map((file) => file.replace(/txt$/, 'yaml'))).toEqual(files)
    expect(files.length).toBeGreaterThan(40)
  })

  it.each(files)('%s', async (file) => {
    await expect(`${complaint(file)}\n`).toMatchFileSnapshot(join(folder, file.replace(/yaml$/, 'txt')))
  })

  it.each(files)('%s: each line has a place, what is wrong and what to do', (file) => {
    for (const line of complaint(file).split('\n'))
      expect(line).toMatch(/^[a-z0-9-]+\.yaml:\d+:\d+( \S.*)?: \S.*; \S/)
  })
})
