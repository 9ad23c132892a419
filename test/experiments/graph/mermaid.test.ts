/** Mermaid's parser needs a browser; its rules for a flowchart are few, and each line is held against them. */
import { describe, expect, test } from 'vitest'
import { graphMermaidOf } from '../../../experiments/graph/mermaid.ts'
import { bad, mixed, plain } from './labs.ts'

const label = String.raw`"(?:[^"<>]|<br/>)*"`
const forms = [
  /^ {4}acc(?:Title|Descr): [^"<>;\n]*(?:#\w+;[^"<>;\n]*)*$/,
  new RegExp(String.raw`^ {4}subgraph (?<box>\w+)\[${label}\]$`),
  new RegExp(String.raw`^ {8}(?<node>\w+)(?:\[${label}\]|\(${label}\))$`),
  new RegExp(String.raw`^ {4}(?<bar>\w+)\[/${label}/\]$`),
  /^ {4,8}(?<line>\w+(?: --- \w+)+)$/,
  new RegExp(String.raw`^ {4}(?<from>\w+) <?-\. ${label} \.-> (?<to>\w+)$`),
  /^ {4}end$/,
]

describe.each(Object.entries({ ...plain, mixed, bad }))('%s', (_, graph) => {
  const [first, ...lines] = graphMermaidOf(graph).split('\n')
  const read = lines.map((line) => forms.map((form) => form.exec(line)).find((match) => match !== null))

  test('each line is one of a flowchart', () => {
    expect(first).toBe('flowchart TB')
    expect(lines.filter((_, index) => read[index] === undefined)).toEqual([])
  })

  test('each line joins boxes that are there', () => {
    const named = new Set(read.flatMap((match) => match?.groups?.['node'] ?? match?.groups?.['bar'] ?? []))
    const used = read.flatMap((match) => [
      ...(match?.groups?.['line']?.split(' --- ') ?? []),
      ...[match?.groups?.['from'], match?.groups?.['to']].filter((id) => id !== undefined),
    ])
    expect(used.length).toBeGreaterThan(graph.hosts.length)
    expect(used.filter((id) => !named.has(id))).toEqual([])
    expect(new Set(used)).toEqual(named)
  })

  test('each box of a host ends', () => {
    expect(lines.filter((line) => line === '    end')).toHaveLength(graph.hosts.length)
  })
})
