/** A YAML text as plain values, with the place of each of them. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Node, YAMLError } from 'yaml'
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

/** Pure. Never throws for a wrong text. */
export function parseYaml(text: string): YamlText {
  const lines = new LineCounter()
  const problems: Problem[] = []
  const places = new Map<string, { key: number; value: number }>()
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const problem = (offset: number, path: Path, what: string, todo: string) =>
    void problems.push({ ...at(offset), path, what, todo })

  const locate = (path: Path, atKey = false): Position => {
    for (let length = path.length; length > 0; length--) {
      const place = places.get(JSON.stringify(path.slice(0, length)))
      if (place) return at(atKey || length < path.length ? place.key : place.value)
    }
    return { line: 1, column: 1 }
  }

  const plain = (node: unknown, path: Path): unknown => {
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
        const inner = [...path, index]
        const start = (item as Node | null)?.range?.[0] ?? offset
        places.set(JSON.stringify(inner), { key: start, value: start })
        return plain(item, inner)
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
        const first = places.get(JSON.stringify(inner))
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
        places.set(JSON.stringify(inner), { key: start, value: leaf ? (value.range?.[0] ?? start) : start })
        seen.set(word, plain(value, inner))
      }
      return Object.fromEntries(seen)
    }
    return isScalar(node) ? node.value : null
  }

  try {
    // Keys are compared above: the library's own check is quadratic and does not say where the first one is.
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
    for (const error of [...document.errors, ...document.warnings])
      problem(error.pos[0], [], ...wording(error))
    if (problems.length > 0) return { value: undefined, problems, locate }
    return { value: plain(document.contents, []), problems, locate }
  } catch (error) {
    // The parser recurses: a text of ten thousand brackets ends its stack.
    const why =
      error instanceof RangeError ? 'is nested too deeply' : `cannot be read as YAML (${String(error)})`
    return {
      value: undefined,
      problems: [{ line: 1, column: 1, path: [], what: why, todo: 'mend the YAML' }],
      locate,
    }
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
