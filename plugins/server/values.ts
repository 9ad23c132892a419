import struct from 'google-protobuf/google/protobuf/struct_pb.js'

/**
 * A Pulumi property as a plugin sees it: plain JSON. Special values stay what they are on the wire, objects with
 * Pulumi's signature key (see `Secret`, `Asset`) or the text `unknown`, so that a value sent back is unchanged.
 */
export type Value = null | boolean | number | string | readonly Value[] | Values
export interface Values {
  readonly [key: string]: Value
}

// The signatures of sdk/nodejs/runtime/rpc.ts.
export const signatureKey = '4dabf18193072939515e22adb298388d'
export const secretSignature = '1b47061264138c4ac30d75fd1eb44270'
export const assetSignature = 'c44067f5952c0a294b673a41bacd8c17'
export const archiveSignature = '0def7320c3a5731c473e5ecbe6d01bc7'
export const outputSignature = 'd0e6a833031e9bbcd3f4e8bde6ca49a4'
export const resourceSignature = '5cf8f73096256a8f31e491e813e4eb8e'
/** A value that a preview does not know yet. */
export const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9'

/** The other texts that mean an unknown of a certain type (boolean, number, array, asset, archive, object). */
const unknowns: ReadonlySet<Value> = new Set([
  unknown,
  '1c4a061d-8072-4f0a-a4cb-0ff528b18fe7',
  '3eeb2bf0-c639-47a8-9e75-3b44932eb421',
  '6a19a0b0-7e62-4c92-b797-7f8e31da9cc2',
  '030794c1-ac77-496b-92df-f27374a8bd58',
  'e48ece36-62e2-4504-bad9-02848725956a',
  'dd056dcd-154b-4c76-9bd3-c8f88648b5ff',
])

export function isObject(value: Value | undefined): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isUnknown(value: Value | undefined): boolean {
  if (isSpecial(value, outputSignature)) return !('value' in value)
  return unknowns.has(value as Value)
}

export function isSecret(value: Value | undefined): boolean {
  return isSpecial(value, secretSignature) || (isSpecial(value, outputSignature) && value.secret === true)
}

export function isAsset(value: Value | undefined): value is Values {
  return isSpecial(value, assetSignature)
}

export function isArchive(value: Value | undefined): value is Values {
  return isSpecial(value, archiveSignature)
}

function isSpecial(value: Value | undefined, signature: string): value is Values {
  return isObject(value) && value[signatureKey] === signature
}

export function secret(value: Value): Value {
  return isSecret(value) ? value : { [signatureKey]: secretSignature, value }
}

/** The value without its secret and output wrappers, at every depth; what is unknown becomes `unknown`. */
export function plain(value: Value): Value {
  if (Array.isArray(value)) return value.map((item: Value) => plain(item))
  if (!isObject(value)) return unknowns.has(value) ? unknown : value
  const signature = value[signatureKey]
  if (signature === secretSignature || signature === outputSignature) return plain(value.value ?? unknown)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

/** True where the value, or anything inside it, satisfies the test. */
export function contains(value: Value | undefined, test: (value: Value) => boolean): boolean {
  if (value === undefined) return false
  if (test(value)) return true
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some((item: Value) => contains(item, test))
}

export function containsUnknown(value: Value | undefined): boolean {
  return contains(value, isUnknown)
}

export function containsSecret(value: Value | undefined): boolean {
  return contains(value, isSecret)
}

export function fromStruct(message: struct.Struct | undefined): Values {
  const values: Record<string, Value> = {}
  message?.getFieldsMap().forEach((value, key) => {
    values[key] = fromMessage(value)
  })
  return values
}

function fromMessage(value: struct.Value): Value {
  switch (value.getKindCase()) {
    case struct.Value.KindCase.STRING_VALUE:
      return value.getStringValue()
    case struct.Value.KindCase.NUMBER_VALUE:
      return value.getNumberValue()
    case struct.Value.KindCase.BOOL_VALUE:
      return value.getBoolValue()
    case struct.Value.KindCase.STRUCT_VALUE:
      return fromStruct(value.getStructValue())
    case struct.Value.KindCase.LIST_VALUE:
      return (value.getListValue()?.getValuesList() ?? []).map(fromMessage)
    default:
      return null
  }
}

/** Properties that are `undefined` are left out, as Pulumi does. */
export function toStruct(values: object): struct.Struct {
  const message = new struct.Struct()
  const fields = message.getFieldsMap()
  for (const [key, value] of Object.entries(values) as [string, Value | undefined][]) {
    if (value !== undefined) fields.set(key, toMessage(value))
  }
  return message
}

function toMessage(value: Value): struct.Value {
  const message = new struct.Value()
  if (typeof value === 'string') message.setStringValue(value.toWellFormed())
  else if (typeof value === 'number') message.setNumberValue(value)
  else if (typeof value === 'boolean') message.setBoolValue(value)
  else if (Array.isArray(value)) {
    const list = new struct.ListValue()
    list.setValuesList(value.map(toMessage))
    message.setListValue(list)
  } else if (isObject(value)) message.setStructValue(toStruct(value))
  else message.setNullValue(struct.NullValue.NULL_VALUE)
  return message
}
