/** A stack's configuration: which inventory, and what this stack changes in it. */
import * as pulumi from '@pulumi/pulumi'
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InventoryErrors, loadInventory, overrideNotes, type LabOverrides } from '../inventory/load.ts'
import type { Inventory } from '../inventory/inventory.ts'
import { overridesFrom } from '../inventory/overrides.ts'
import { controllerSources } from '../inventory/references.ts'

const project = fileURLToPath(new URL('..', import.meta.url))

// Node runs this program as it is written, so no source map is needed to name a line. Pulumi's own hook reads the
// maps of its SDK to note the place of each resource: a tenth of the time of an up.
Reflect.deleteProperty(Error, 'prepareStackTrace')

/**
 * The inventory that the selected stack's config names, with the stack's own changes.
 * A mistake in either ends the program with its place and remedy, before any resource is registered.
 */
export function stackInventory(): Inventory {
  const config = new pulumi.Config()
  const named = config.require('inventory')
  const file = isAbsolute(named) ? named : join(project, named)
  const overrides = overridesFrom((key) => config.get(key))
  try {
    const inventory = loadInventory(file, { overrides, sources: controllerSources })
    for (const note of notesOf(file, overrides)) void pulumi.log.info(`note: ${note}`)
    return inventory
  } catch (error) {
    if (error instanceof InventoryErrors) throw new pulumi.RunError(error.message)
    throw error
  }
}

/** What this stack changes in the inventory: who edits the file there sees why it has no effect. */
function notesOf(file: string, overrides: LabOverrides): string[] {
  const settings = join(project, 'stacks', `Pulumi.${pulumi.getStack()}.yaml`)
  const text = existsSync(settings) ? readFileSync(settings, 'utf8') : ''
  // People are in the project's folder; this program need not be.
  return overrideNotes(file, overrides, { file: relative(project, settings), text }, relative(project, file))
}
