/** A YAML text as plain values, with the place of each of them. */
import { isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Document, Node, YAMLError } from 'yaml'
import type { Path } from './mistakes.ts'

export interface Position {
  readonly line: number
  readonly column: number
}

/** A mistake that the YAML itself holds. */
export interface Problem extends Position {
  readonly path: Path
  readonly what: string
  readonly todo: string
}

export interface YamlText {
  /** Maps as objects with the keys as text, lists as arrays; undefined where the text is no YAML. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** The place of a value (of its key with `atKey`, and where the value is a map, a list or empty), or of the nearest thing above it. */
  locate(path: Path, atKey?: boolean): Position
}

/** Deeper than any inventory, and shallow enough for the stack. */
const deepest = 100

/** Where a value and its key begin, as offsets in the text, and what is inside it. */
interface Place {
  readonly key: number
  readonly value: number
  readonly inside: Map<string | number, Place>
}

/** Pure. Never throws for a wrong text. */
export function parseYaml(given: string): YamlText {
  // Editors count no column for a byte order mark.
  const text = given.replace(/^\uFEFF/, '')
  const at = positions(text)
  const problems: Problem[] = []
  const top: Place = { key: 0, value: 0, inside: new Map() }
  const problem = (offset: number, path: Path, what: string, todo: string) =>
    void problems.push({ ...at(offset), path, what, todo })

  const locate = (path: Path, atKey = false): Position => {
    let place = top
    for (const part of path) {
      const next = place.inside.get(part)
      if (!next) return at(place.key)
      place = next
    }
    return at(atKey ? place.key : place.value)
  }

  const plain = (node: unknown, path: Path, place: Place): unknown => {
    const offset = (node as Node | null)?.range?.[0] ?? 0
    if (path.length > deepest) {
      problem(offset, path.slice(0, 4), 'is nested too deeply', 'write it flatter')
      return undefined
    }
    if (isAlias(node)) {
      problem(
        offset,
        path,
        `*${node.source} is a YAML alias, which overlab does not follow`,
        "write the value out, or put it into a group's vars",
      )
      return undefined
    }
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const start = (item as Node | null)?.range?.[0] ?? offset
        const inner: Place = { key: start, value: start, inside: new Map() }
        place.inside.set(index, inner)
        return plain(item, [...path, index], inner)
      })
    }
    if (isMap(node)) {
      const seen = new Map<string, unknown>()
      for (const { key, value } of node.items) {
        const start = (key as Node | null)?.range?.[0] ?? offset
        if (!isScalar(key)) {
          problem(
            start,
            path,
            'a key of this map is not plain text',
            'write key: value, and quote a key that starts with [ or {',
          )
          continue
        }
        const word = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
        const inner = [...path, word]
        if (word === '__proto__') {
          problem(start, inner, '__proto__ is no name for anything here', 'remove it')
          continue
        }
        if (word === '<<') {
          problem(
            start,
            inner,
            '<< is a YAML merge key, which overlab does not follow',
            "write the keys out, or put them into a group's vars",
          )
          continue
        }
        const first = place.inside.get(word)
        if (seen.has(word) && first) {
          problem(
            start,
            inner,
            `is here a second time (first on line ${at(first.key).line})`,
            'keep one of the two',
          )
          continue
        }
        const leaf = isScalar(value) && value.value !== null
        const here: Place = {
          key: start,
          value: leaf ? (value.range?.[0] ?? start) : start,
          inside: new Map(),
        }
        place.inside.set(word, here)
        seen.set(word, plain(value, inner, here))
      }
      return Object.fromEntries(seen)
    }
    return isScalar(node) ? node.value : null
  }

  try {
    const document = documentOf(text)
    for (const error of [...document.errors, ...document.warnings])
      problem(error.pos[0], [], ...wording(error))
    if (problems.length > 0) return { value: undefined, problems, locate }
    return { value: plain(document.contents, [], top), problems, locate }
  } catch (error) {
    // The parser recurses: a text of ten thousand brackets ends its stack.
    const why =
      error instanceof RangeError ? 'is nested too deeply' : `cannot be read as YAML (${String(error)})`
    return {
      value: undefined,
      problems: [{ line: 1, column: 1, path: [], what: why, todo: 'correct the YAML' }],
      locate,
    }
  }
}

function documentOf(text: string): Document.Parsed {
  const frames = Error.stackTraceLimit
  // A broken text has an error for every second of its characters; their stack traces take most of the time and memory.
  Error.stackTraceLimit = 0
  try {
    // Keys are compared above: the library's own check is quadratic and does not say where the first one is.
    return parseDocument(text, { prettyErrors: false, uniqueKeys: false })
  } finally {
    Error.stackTraceLimit = frames
  }
}

/**
 * Offset -> line and column, both from 1, of a character that the text has: what lies at an end of line or of the file
 * (something is missing there) is reported at the last character before it.
 */
function positions(text: string): (offset: number) => Position {
  const starts = [0]
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
  const written = text.trimEnd().length
  return (offset) => {
    const inside = Math.max(Math.min(offset, written - 1), 0)
    let low = 0
    for (let high = starts.length; high - low > 1;) {
      const middle = (low + high) >>> 1
      if ((starts[middle] ?? Infinity) <= inside) low = middle
      else high = middle
    }
    const start = starts[low] ?? 0
    const end = (starts[low + 1] ?? text.length + 1) - 1
    const length = (text[end - 1] === '\r' ? end - 1 : end) - start
    return { line: low + 1, column: Math.max(Math.min(inside - start + 1, length), 1) }
  }
}

function wording(error: YAMLError): [what: string, todo: string] {
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return ['a tab is used as indentation', 'use spaces']
    case 'MULTIPLE_DOCS':
      return ['the file holds more than one YAML document', 'keep one, without a second ---']
    case 'TAG_RESOLVE_FAILED':
      return [`not plain YAML: ${sentence(error.message)}`, 'remove the tag']
    case 'BAD_ALIAS':
      return [`not plain YAML: ${sentence(error.message)}`, 'write the value out']
    case 'MISSING_CHAR':
      if (!error.message.includes('flow map')) break
      return [
        `not valid YAML: ${sentence(error.message)}`,
        'quote a key such as "node[1:3]" inside { }, and check the commas',
      ]
  }
  return [`not valid YAML: ${sentence(error.message)}`, 'check indentation, colons and quotes here']
}

function sentence(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/[.:]$/, '')
}
