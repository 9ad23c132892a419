/**
 * The package schema of this provider, for `pulumi package add`, `get-schema` and `gen-sdk`:
 * https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/. It is made of the resources' forms, by
 * which their inputs are checked.
 */
import { z } from 'zod'
import { dataPlaneForm } from './data-plane.ts'
import { etcdKeysForm } from './etcd-keys.ts'
import { kernelsForm } from './kernels.ts'
import { machineForm } from './machine.ts'
import type { Form } from './resource.ts'
import { serviceForm } from './service.ts'
import { sharedFileForm } from './shared-file.ts'
import { sshHostForm } from './ssh-host.ts'
import { underlayForm } from './underlay.ts'

type Json = z.core.JSONSchema.JSONSchema
/** A form of any resource: only its schemas count here. */
type AnyForm = Pick<Form<unknown, unknown>, 'description' | 'inputs' | 'outputs'> & {
  readonly replaceOn: readonly string[]
}

const forms: Readonly<Record<string, AnyForm>> = {
  Underlay: underlayForm,
  Machine: machineForm,
  SshHost: sshHostForm,
  DataPlane: dataPlaneForm,
  Kernels: kernelsForm,
  SharedFile: sharedFileForm,
  Service: serviceForm,
  EtcdKeys: etcdKeysForm,
}

const token = (type: string) => `overlab:index:${type}`

/** As JSON text. @throws Error where a form holds what Pulumi's schema has no word for */
export function packageSchema(name: string, version: string): string {
  const types: Record<string, object> = {}
  const resources = Object.fromEntries(
    Object.entries(forms).map(([type, form]) => [token(type), resourceOf(form, types)]),
  )
  return JSON.stringify({
    name,
    displayName: 'overlab',
    version,
    description: 'Machines of container overlay labs, and what their kernels hold, without a daemon.',
    keywords: ['pulumi', 'overlab', 'category/network', 'kind/native'],
    license: 'Apache-2.0',
    meta: { moduleFormat: '(.*)' },
    language: { nodejs: { respectSchemaVersion: true } },
    config: {},
    provider: {},
    types,
    resources,
  })
}

function resourceOf({ description, inputs, outputs, replaceOn }: AnyForm, types: Record<string, object>) {
  const takes = objectOf(inputs, 'input', types)
  const gives = objectOf(outputs, 'output', types)
  const inputProperties = Object.fromEntries(
    Object.entries(takes.properties).map(([key, property]) => [
      key,
      replaceOn.includes(key) ? { ...property, willReplaceOnChanges: true } : property,
    ]),
  )
  return {
    description,
    inputProperties,
    requiredInputs: takes.required,
    properties: { ...takes.properties, ...gives.properties },
    // Check fills in what has a default.
    required: [
      ...Object.keys(takes.properties).filter(
        (key) => takes.required.includes(key) || 'default' in takes.properties[key]!,
      ),
      ...gives.required,
    ],
  }
}

/** The named types that a schema uses (`.meta({ id })` in a form) are added to `types`. */
function objectOf(schema: z.ZodType, io: 'input' | 'output', types: Record<string, object>) {
  const json: Json = z.toJSONSchema(schema, { io })
  for (const [type, definition] of Object.entries(json.$defs ?? {})) types[token(type)] = typeOf(definition)
  return propertiesOf(json)
}

interface Property {
  readonly description?: string
  readonly default?: unknown
}

function propertiesOf(json: Json): { properties: Record<string, Property>; required: string[] } {
  const properties = Object.entries(json.properties ?? {}).map(([key, value]) => [key, whole(value)] as const)
  const isNullable = (key: string) => properties.some(([name, value]) => name === key && nonNull(value))
  return {
    properties: Object.fromEntries(properties.map(([key, value]) => [key, propertyOf(value)])),
    required: (json.required ?? []).filter((key) => !isNullable(key)),
  }
}

function typeOf(json: Json): object {
  if (json.enum) return { type: json.type, enum: json.enum.map((value) => ({ value })) }
  return { type: 'object', ...propertiesOf(json) }
}

function propertyOf(json: Json): Property {
  return {
    ...referenceOf(json),
    ...(json.description !== undefined && { description: json.description }),
    ...(json.default !== undefined && { default: json.default }),
  }
}

/** Patterns and limits are left out: Pulumi's schema has no word for them, and Check says them. */
function referenceOf(json: Json): object {
  const some = nonNull(json)
  if (some) return referenceOf(some)
  if (json.$ref !== undefined) return { $ref: `#/types/${token(json.$ref.replace('#/$defs/', ''))}` }
  switch (json.type) {
    case 'string':
    case 'boolean':
    case 'integer':
    case 'number':
      return { type: json.type }
    case 'array':
      if (json.items !== undefined && !Array.isArray(json.items))
        return { type: 'array', items: referenceOf(whole(json.items)) }
      break
    case 'object':
      // A table. An object with properties of its own has a name, and is a $ref.
      if (json.properties === undefined)
        return { type: 'object', additionalProperties: referenceOf(whole(json.additionalProperties)) }
  }
  throw new Error(`a form holds ${JSON.stringify(json)}; give it a name by .meta({ id })`)
}

/** What a value is that may be null as well: in Pulumi's schema such a one is not required. */
function nonNull({ anyOf }: Json): Json | undefined {
  const [some, ...others] = anyOf?.filter((one) => whole(one).type !== 'null') ?? []
  return anyOf && some !== undefined && others.length === 0 && anyOf.length === 2 ? whole(some) : undefined
}

function whole(json: z.core.JSONSchema._JSONSchema | undefined): Json {
  if (typeof json === 'object') return json
  throw new Error('a form holds a value of any type; Pulumi has no word for it')
}
