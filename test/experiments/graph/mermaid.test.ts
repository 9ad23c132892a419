/** Mermaid's parser needs a browser; its rules for a flowchart are few, and each line is held against them. */
import { describe, expect, test } from 'vitest'
import { graphMermaidOf } from '../../../experiments/graph/mermaid.ts'
import { bad, mixed, plain } from './labs.ts'

const label = String.raw`"(?:[^"<>]|<br/>)*"`
const forms = [
  /^ {4}acc(?:Title|Descr): [^"<>;\n]*(?:#\w+;[^"<>;\n]*)*$/,
  new RegExp(String.raw`^ {4}subgraph (?<box>\w+)\[${label}\]$`),
  new RegExp(String.raw`^ {8}(?<node>\w+)(?:\[${label}\]|\(${label}\))$`),
  new RegExp(String.raw`^ {4}(?<bar>\w+)\[${label}\]$`),
  /^ {4,8}(?<line>\w+(?: --- \w+)+)$/,
  /^ {4}end$/,
]

describe.each(Object.entries({ ...plain, mixed, bad }))('%s', (_, graph) => {
  const [settings, first, ...lines] = graphMermaidOf(graph).split('\n')
  const read = lines.map((line) => forms.map((form) => form.exec(line)).find((match) => match !== null))

  test('each line is one of a flowchart', () => {
    expect(settings).toMatch(/^%%\{init: \{.*\}\}%%$/)
    expect(first).toBe('flowchart TB')
    expect(lines.filter((_, index) => read[index] === undefined)).toEqual([])
  })

  test('each line joins boxes that are there', () => {
    const named = new Set(read.flatMap((match) => match?.groups?.['node'] ?? match?.groups?.['bar'] ?? []))
    const used = read.flatMap((match) => match?.groups?.['line']?.split(' --- ') ?? [])
    expect(used.length).toBeGreaterThan(graph.hosts.length)
    expect(used.filter((id) => !named.has(id))).toEqual([])
    expect(new Set(used)).toEqual(named)
  })

  test('each box of a host ends', () => {
    expect(lines.filter((line) => line === '    end')).toHaveLength(graph.hosts.length)
  })

  test('no line joins two hosts: Mermaid would pull them apart and cross the lines', () => {
    const joined = read.flatMap((match) => {
      const ends = match?.groups?.['line']?.split(' --- ') ?? []
      return [new Set(ends.filter((id) => id !== 'underlay').map((id) => /^h\d+/.exec(id)?.[0]))]
    })
    expect(joined.filter((hosts) => hosts.size > 1)).toEqual([])
  })

  test('the underlay names every way once, and each outer header once', () => {
    const bar = lines.find((line) => line.startsWith('    underlay['))!
    const count = (text: string) => bar.split(text).length - 1
    for (const { between: ends, title, detail, oneWay } of graph.ways) {
      expect(count(ends ? title.replace(' - ', oneWay ? ' → ' : ' ↔ ') : title)).toBe(1)
      expect(count(`<br/>${detail}:<br/>`)).toBe(1)
    }
  })
})
