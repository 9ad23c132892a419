/** The inventory's JSON Schema, for editors. `node inventory/jsonschema.ts` writes it to inventory.schema.json. */
import { writeFileSync } from 'node:fs'
import { z } from 'zod'
import { inventoryFile } from './schema.ts'

export const schemaFile = new URL('inventory.schema.json', import.meta.url)

/** The text of the file. Draft 7 is what the YAML language server knows best. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(inventoryFile, { target: 'draft-7', io: 'input', reused: 'ref' })
  return `${JSON.stringify({ ...schema, $comment: 'Made by node inventory/jsonschema.ts; do not edit.' }, null, 2)}\n`
}

if (import.meta.main) writeFileSync(schemaFile, jsonSchemaText())
