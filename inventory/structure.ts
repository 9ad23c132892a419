/** The form of an inventory, checked against the schema; every issue said in a user's words. */
import type { z } from 'zod'
import {
  unsupported,
  unsupportedBackendKeys,
  unsupportedBackends,
  unsupportedNetworkKeys,
} from './flannel-keys.ts'
import { shown, type Path, type Report } from './mistakes.ts'
import {
  backendKeys,
  environmentSources,
  hostOnly,
  impairmentWords,
  inventoryFile,
  lab,
  ownVariable,
  variables,
} from './schema.ts'
import { nearest, suggestion } from './suggest.ts'
import { backendTypes, machineKinds } from './inventory.ts'

type Issue = z.core.$ZodIssue
type Words = { what: string; todo: string; atKey?: boolean }

/** Accepted with flannel's default value only; nothing to suggest. */
const tolerated = ['EnableIPv4', 'EnableIPv6', 'EnableNFTables', 'GBP', 'Learning']
const networkKeys = Object.keys(lab.shape.overlay.shape).filter((key) => !tolerated.includes(key))
const hostKeys = Object.keys(variables).filter((key) => key !== 'ansible_group_priority')
const groupKeys = Object.keys(variables).filter((key) => !hostOnly.includes(key))

/** Reports everything in `file` (the YAML as plain values) that the schema does not allow. */
export function checkStructure(file: unknown, report: Report): void {
  const result = inventoryFile.safeParse(file)
  for (const issue of result.error?.issues ?? []) explain(issue, [], file, report)
}

function explain(issue: Issue, above: Path, file: unknown, report: Report): void {
  const path: Path = [...above, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
  const got = valueAt(file, path)
  const say = (words: Words, at: Path = path) => report({ path: at, ...words })
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) {
        if (['vars', 'host'].includes(place(path)) && ownVariable.test(key)) continue
        say({ ...unknownKey(path, key, got), atKey: true }, [...path, key])
      }
      return
    case 'invalid_union': {
      if (issue.discriminator !== undefined) {
        say(backendType(got))
        if (got === undefined) misspelt(path.slice(0, -1), file, report)
        return
      }
      const fitting = issue.errors.filter(
        (errors) => !errors.some((e) => e.code === 'invalid_type' && e.path.length === 0),
      )
      const best = fitting.sort((a, b) => weight(a) - weight(b))[0]
      if (best) return best.forEach((inner) => explain(inner, path, file, report))
      return say(wrongType(expectedOfUnion(path, got), got, path))
    }
    case 'invalid_type':
      return say(wrongType(expected[issue.expected] ?? issue.expected, got, path))
    case 'invalid_key':
      return say({
        ...split(`${shown(String(path.at(-1)))} ${issue.issues[0]?.message ?? 'is not allowed'}`),
        atKey: true,
      })
    case 'invalid_value':
      if (issue.message.startsWith('!')) return say(split(issue.message.slice(1)))
      return say(notOneOf(path, got, issue.values.map(String)))
    case 'too_small':
      if (issue.origin === 'string')
        return say({ what: 'is an empty text', todo: 'give it a value or remove it' })
      return say({ what: `${String(got)} is too small`, todo: `use ${issue.minimum} or more` })
    case 'too_big':
      return say({ what: `${String(got)} is too big`, todo: `use ${issue.maximum} or less` })
    default:
      return say(split(`${shown(got)} ${issue.message}`))
  }
}

/**
 * How far a member of a union is from what was written: one for each wrong key or value. What is wrong deeper inside says
 * nothing about which member was meant.
 */
function weight(issues: readonly Issue[]): number {
  return issues
    .filter(({ path }) => path.length < 2)
    .reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0)
}

const expected: Record<string, string> = {
  int: 'a whole number',
  number: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
}

function expectedOfUnion(path: Path, got: unknown): string {
  if (place(path) === 'value')
    return ['number', 'boolean'].includes(typeof got)
      ? 'a text'
      : 'a text, {from_env: VARIABLE} or {from_file: PATH}'
  return path.at(-1) === 'pods' ? 'a count, a list of names or a map' : 'a map with run, or with copy and to'
}

/** What to write for what is required and missing. */
const examples: Record<string, string> = {
  lab: 'lab: with name, underlay and overlay',
  all: 'all: with hosts: or children: in it',
  name: 'name: lab',
  underlay: 'underlay: 192.168.77.0/24',
  overlay: 'overlay: {Network: 10.244.0.0/16, Backend: {Type: vxlan}}',
  Network: 'Network: 10.244.0.0/16',
  to: 'to: the absolute path on the machine',
  run: 'run: a command (or copy: and to:)',
  copy: 'copy: a file beside the inventory',
  from_env: "from_env: the variable's name",
  from_file: "from_file: the file's path",
  Backend: 'Backend: {Type: vxlan}',
  pods: 'pods: 2, or pods: [web, db], or pods: {web: {address: 10.244.1.9}}',
  bootstrap: 'a list, such as [{run: echo hello}]',
  impairments: 'impairments: {rate: 100mbit, delay: 20ms, jitter: 2ms, loss: 1%}',
  toward: 'toward: {node2: {delay: 20ms}}',
  rate: 'rate: 100mbit',
  delay: 'delay: 20ms',
  jitter: 'jitter: 2ms',
  loss: 'loss: 1%',
}

function wrongType(wanted: string, got: unknown, path: Path): Words {
  const key = path.at(-1)
  if (path.length === 0) {
    return got === null || got === undefined
      ? { what: 'the inventory is empty', todo: 'start with lab: and all:, as inventory/lab.yaml does' }
      : {
          what: `the inventory is ${describe(got)}, not a map`,
          todo: 'start with lab: and all:, as inventory/lab.yaml does',
        }
  }
  if (got === undefined)
    return { what: 'is missing', todo: `add ${examples[String(key)] ?? `${String(key)}:`}`, atKey: true }
  const what = `is ${describe(got)}, not ${wanted}`
  const example = exampleAt(path, got)
  if (got === null)
    return { what, todo: example === undefined ? 'give it a value or remove it' : `write ${example}` }
  if (typeof got === 'string' && /^\d+$/.test(got) && /number|count/.test(wanted))
    return { what, todo: `write ${got} without quotes` }
  const quantity = place(path) === 'impairments' && impairmentWords.includes(String(key))
  if (wanted === 'a text' && !quantity && ['number', 'boolean'].includes(typeof got))
    return { what, todo: `write it in quotes: "${shown(got)}"` }
  if (Array.isArray(got) && wanted === 'a map') return { what, todo: 'write "name:" instead of "- name"' }
  return { what, todo: `write ${example ?? wanted}` }
}

function exampleAt(path: Path, got: unknown): string | undefined {
  const key = String(path.at(-1))
  const above = place(path.slice(0, -1))
  if (place(path) === 'pod' && above !== 'pod' && path.at(-2) === 'pods') {
    return `${key}: {address: ${typeof got === 'string' ? got : '10.244.1.9'}}`
  }
  if (path.at(-2) === 'toward') return `${key}: {delay: 20ms}`
  if (path.at(-2) === 'hosts') return `its variables below it, such as pods: 2`
  return examples[key]
}

function notOneOf(path: Path, got: unknown, known: readonly string[]): Words {
  if (path.at(-1) === 'machine' && machineKinds.some((kind) => kind === got)) {
    return {
      what: `overlab knows machines of the kind ${String(got)}, but does not support them yet`,
      todo: `use ${known.join(' or ')}`,
    }
  }
  if (typeof got !== 'string') return { what: `is ${describe(got)}`, todo: `use one of ${known.join(', ')}` }
  return { what: `${shown(got)} is not known here`, todo: suggestion(got, known) }
}

/** Without a `Type` the schema looks no further into a Backend: what may be the misspelt key is named all the same. */
function misspelt(path: Path, file: unknown, report: Report): void {
  const map = valueAt(file, path) as object
  const known = Object.values(backendKeys).flat()
  for (const key of Object.keys(map).filter((one) => !known.includes(one))) {
    report({ path: [...path, key], ...unknownKey(path, key, map), atKey: true })
  }
}

function backendType(got: unknown): Words {
  if (got === undefined)
    return { what: 'is missing', todo: `add Type: and one of ${backendTypes.join(', ')}`, atKey: true }
  const other = unsupportedBackends.find((type) => typeof got === 'string' && type === got.toLowerCase())
  if (other) return { ...unsupported(`the backend ${other}`), todo: `use one of ${backendTypes.join(', ')}` }
  return notOneOf(['Type'], got, backendTypes)
}

type Place =
  'top' | 'lab' | 'overlay' | 'Backend' | 'group' | 'vars' | 'host' | 'pod' | 'act' | 'value' | 'impairments'

/** What kind of map is at a path. */
function place(path: Path): Place {
  const [top, ...rest] = path
  if (top === undefined) return 'top'
  if (top === 'lab') return (['lab', 'overlay', 'Backend'] as const)[rest.length] ?? 'Backend'
  while (rest[0] === 'children' && rest.length >= 2) rest.splice(0, 2)
  const inner = rest[0] === 'hosts' ? rest.slice(2) : rest[0] === 'vars' ? rest.slice(1) : undefined
  if (inner === undefined) return 'group'
  if (inner[0] === 'pods') return 'pod'
  // bootstrap[0].environment.TOKEN
  if (inner[0] === 'bootstrap') return inner[2] === 'environment' && inner.length > 3 ? 'value' : 'act'
  if (inner[0] === 'impairments') return 'impairments'
  return rest[0] === 'hosts' ? 'host' : 'vars'
}

function unknownKey(path: Path, key: string, map: unknown): Words {
  const unknown = (known: readonly string[], hint?: string): Words => {
    const near = nearest(key, known)
    return { what: 'is an unknown key', todo: near === undefined && hint ? hint : suggestion(key, known) }
  }
  switch (place(path)) {
    case 'top':
      if (isGroup(map, key) && nearest(key, ['lab', 'all']) === undefined)
        return { what: 'is a group, and groups stand below all', todo: 'move it into all: children:' }
      return unknown(['lab', 'all'], 'keep lab: and all: at the top; a group goes under all.children')
    case 'lab':
      if (networkKeys.includes(key))
        return { what: 'is a key of the overlay', todo: 'move it into lab.overlay' }
      return unknown(Object.keys(lab.shape))
    case 'overlay':
      if ((unsupportedNetworkKeys as readonly string[]).includes(key)) return unsupported(key)
      if (Object.values(backendKeys).some((keys) => keys.includes(key))) {
        return { what: 'is a key of the backend', todo: 'move it into lab.overlay.Backend' }
      }
      return unknown(networkKeys)
    case 'Backend': {
      const type = String((map as Record<string, unknown>)['Type'])
      const owners = Object.keys(backendKeys).filter((other) => backendKeys[other]?.includes(key))
      if (owners.length > 0) {
        return {
          what: `the backend ${type} has no ${key}, only ${owners.join(' and ')} ${owners.length > 1 ? 'have' : 'has'}`,
          todo: 'remove it, or change Type',
        }
      }
      if ((unsupportedBackendKeys as readonly string[]).includes(key)) return unsupported(key)
      return unknown(
        (backendKeys[type] ?? Object.values(backendKeys).flat()).filter(
          (known) => !tolerated.includes(known),
        ),
      )
    }
    case 'group':
      if (Object.hasOwn(variables, key) || ownVariable.test(key)) {
        return { what: 'is a variable', todo: 'move it into vars: of this group or under one of its hosts' }
      }
      return unknown(
        ['hosts', 'vars', 'children'],
        'a group has hosts:, vars: and children:; put a group below it into children:',
      )
    case 'vars':
      if (hostOnly.includes(key))
        return { what: 'belongs to one host', todo: 'move it under hosts:, below the name of the host' }
      return unknown(groupKeys, ownVariableHint(key))
    case 'host':
      if (key === 'ansible_group_priority')
        return { what: 'belongs to a group', todo: "move it into the group's vars" }
      return unknown(hostKeys, ownVariableHint(key))
    case 'pod':
      return unknown(['address'])
    case 'impairments': {
      if (path.at(-1) !== 'impairments') return unknown(impairmentWords)
      return unknown([...impairmentWords, 'toward'], 'a peer goes under toward: in it')
    }
    case 'value':
      if ((environmentSources as readonly string[]).includes(key))
        return { what: 'is a second place of one value', todo: 'keep from_env or from_file' }
      return unknown(environmentSources)
    case 'act': {
      const acts = {
        run: ['name', 'run', 'delete', 'triggers', 'environment'],
        copy: ['name', 'copy', 'to', 'triggers'],
      }
      const kind =
        Object.hasOwn(map as object, 'copy') && !Object.hasOwn(map as object, 'run') ? 'copy' : 'run'
      if ([...acts.run, ...acts.copy].includes(key)) {
        return { what: `does not go with ${kind}`, todo: 'an act either runs or copies; make two of it' }
      }
      return unknown(acts[kind])
    }
  }
}

/** Ansible's groups may stand at the top of a file; overlab's may not, so that a misspelt lab: is found. */
function isGroup(map: unknown, key: string): boolean {
  return ['hosts', 'children', 'vars'].some((word) => valueAt(map, [key, word]) !== undefined)
}

/** Whether some group stands at the top: then `all` may lack what is in it. */
export function hasStrayGroups(file: unknown): boolean {
  if (typeof file !== 'object' || file === null) return false
  return Object.keys(file).some((key) => !['lab', 'all'].includes(key) && isGroup(file, key))
}

function ownVariableHint(key: string): string {
  const word = key.replace(/^x_/, '').replaceAll(/\W/g, '_') || 'name'
  return `a variable of your own starts with x_: x_${word}`
}

/** `what; what to do` of a schema's message. */
function split(message: string): Words {
  const [what = '', todo = 'change it'] = message.split(/; (.*)/s)
  return { what, todo }
}

function describe(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  return typeof value === 'string'
    ? `the text ${shown(value)}`
    : typeof value === 'number'
      ? String(value)
      : shown(value)
}

export function valueAt(value: unknown, path: Path): unknown {
  let here = value
  for (const part of path) {
    if (here === null || typeof here !== 'object' || !Object.hasOwn(here, part)) return undefined
    here = (here as Record<string | number, unknown>)[part]
  }
  return here
}
