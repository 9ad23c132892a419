import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { jsonSchemaText, schemaFile } from '../../inventory/jsonschema.ts'

const text = readFileSync(schemaFile, 'utf8')
const schema = z.fromJSONSchema(JSON.parse(text) as z.core.JSONSchema.JSONSchema)
const at = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8')

describe('inventory.schema.json', () => {
  it('is up to date (if not: node inventory/jsonschema.ts)', () => expect(jsonSchemaText()).toBe(text))

  it.each(['lab', 'example-groups'])('accepts inventory/%s.yaml, whose first line names it', (name) => {
    const yaml = at(`../../inventory/${name}.yaml`)
    expect(yaml.split('\n')[0]).toBe('# yaml-language-server: $schema=inventory.schema.json')
    expect(schema.safeParse(parse(yaml)).error).toBeUndefined()
  })

  it.each(readdirSync(new URL('right', import.meta.url)).filter((file) => file.endsWith('.yaml')))(
    'accepts right/%s',
    (file) => {
      expect(schema.safeParse(parse(at(`right/${file}`))).error).toBeUndefined()
    },
  )

  it.each([
    'missing-blocks',
    'unknown-lab-keys',
    'wrong-types',
    'host-unknown-keys',
    'group-vars-of-one-host',
    'backend-unknown',
    'host-gw-with-keys',
    'bootstrap-form',
    'flannel-keys-not-supported',
    'machine-misspelt',
  ])('refuses wrong/%s.yaml', (name) =>
    expect(schema.safeParse(parse(at(`wrong/${name}.yaml`))).success).toBe(false),
  )
})
