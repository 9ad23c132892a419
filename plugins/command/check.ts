import { isArchive, isAsset, isObject, isUnknown, plain, secret } from '../server/index.ts'
import type { CheckFailure, CheckResult, Value, Values } from '../server/index.ts'
import { hopDefaults } from './connection.ts'

export interface Property {
  readonly type: keyof typeof tests | 'connection'
  readonly required?: boolean
  readonly default?: Value
}
export type Properties = Readonly<Record<string, Property>>

const isString = (value: Value) => typeof value === 'string'
const known = (test: (value: Value) => boolean) => (value: Value) => isUnknown(value) || test(value)
const loggings = ['none', 'stdout', 'stderr', 'stdoutAndStderr']

/** What a value of each type must be, in words and as a test. */
const tests = {
  string: ['a string', isString],
  number: ['a number', (value: Value) => typeof value === 'number'],
  boolean: ['true or false', (value: Value) => typeof value === 'boolean'],
  list: ['a list', (value: Value) => Array.isArray(value)],
  strings: ['a list of strings', (value: Value) => Array.isArray(value) && value.every(known(isString))],
  'strings by name': [
    'a map of strings',
    (value: Value) => isObject(value) && Object.values(value).every(known(isString)),
  ],
  logging: [`one of ${loggings.join(', ')}`, (value: Value) => isString(value) && loggings.includes(value)],
  source: ['an asset or an archive', (value: Value) => isAsset(value) || isArchive(value)],
} satisfies Record<string, [string, (value: Value) => boolean]>

const hop: Properties = {
  host: { type: 'string', required: true },
  port: { type: 'number', default: hopDefaults.port },
  user: { type: 'string', default: hopDefaults.user },
  password: { type: 'string' },
  privateKey: { type: 'string' },
  privateKeyPassword: { type: 'string' },
  agentSocketPath: { type: 'string' },
  hostKey: { type: 'string' },
  dialErrorLimit: { type: 'number', default: hopDefaults.dialErrorLimit },
  perDialTimeout: { type: 'number', default: hopDefaults.perDialTimeout },
}

/** Fills in defaults, marks the connection as secret, and names every input that is missing or of another type. */
export function checkProperties(
  properties: Properties,
  news: Values,
): CheckResult & { failures: CheckFailure[] } {
  const failures: CheckFailure[] = []
  const inputs = checkObject(properties, news, '', failures)
  return { inputs, failures }
}

function checkObject(properties: Properties, values: Values, path: string, failures: CheckFailure[]): Values {
  const checked: Record<string, Value> = { ...values }
  for (const [name, property] of Object.entries(properties)) {
    const at = path + name
    const value = values[name]
    if (value === undefined || value === null) {
      if (property.default !== undefined) checked[name] = property.default
      else if (property.required)
        failures.push({ property: at, reason: `Missing required property '${name}'` })
    } else if (property.type === 'connection') checked[name] = checkConnection(value, at, failures)
    else {
      const bare = plain(value)
      const [what, test] = tests[property.type]
      if (!known(test)(bare)) failures.push({ property: at, reason: wrongType(what, bare) })
    }
  }
  return checked
}

function checkConnection(value: Value, path: string, failures: CheckFailure[]): Value {
  const bare = plain(value)
  if (isUnknown(bare)) return secret(value)
  if (!isObject(bare)) {
    failures.push({ property: path, reason: wrongType('a map', bare) })
    return value
  }
  const checked: Record<string, Value> = { ...checkObject(hop, bare, `${path}.`, failures) }
  const { proxy } = bare
  if (isObject(proxy)) checked.proxy = checkObject(hop, proxy, `${path}.proxy.`, failures)
  else if (proxy === null || proxy === undefined) delete checked.proxy
  else if (!isUnknown(proxy)) failures.push({ property: `${path}.proxy`, reason: wrongType('a map', proxy) })
  return secret(checked)
}

function wrongType(expected: string, value: Value): string {
  const got = Array.isArray(value) ? 'a list' : isObject(value) ? 'a map' : JSON.stringify(value)
  return `must be ${expected}; got ${got}`
}
