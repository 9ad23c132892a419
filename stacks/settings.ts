/** A stack's configuration: which inventory, and what this stack changes in it. */
import * as pulumi from '@pulumi/pulumi'
import { fileURLToPath } from 'node:url'
import { isAbsolute, join } from 'node:path'
import { InventoryErrors, loadInventory } from '../inventory/load.ts'
import type { Inventory } from '../inventory/inventory.ts'
import { overridesFrom } from '../inventory/overrides.ts'

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
  const file = config.require('inventory')
  try {
    return loadInventory(isAbsolute(file) ? file : join(project, file), {
      overrides: overridesFrom((key) => config.get(key)),
    })
  } catch (error) {
    if (error instanceof InventoryErrors) throw new pulumi.RunError(error.message)
    throw error
  }
}
