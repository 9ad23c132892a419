/** Graphviz itself reads what is written for it, and places it as it is meant. */
import { Graphviz } from '@hpcc-js/wasm-graphviz'
import { describe, expect, test } from 'vitest'
import { dotOf } from '../../../experiments/graph/dot.ts'
import type { LabGraph } from '../../../experiments/graph/model.ts'
import { hostsOf } from '../../support/inventory.ts'
import { bad, badName, graphOfLab, mixed } from './labs.ts'

const graphviz = await Graphviz.load()

/** Centres, heights and widths in points, and names as Graphviz read them. */
function placed(graph: LabGraph): { name: string; x: number; y: number; width: number; height: number }[] {
  const plain = graphviz.dot(dotOf(graph), 'plain')
  return [
    ...plain.matchAll(/^node (?:"((?:[^"\\]|\\.)*)"|(\S+)) ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) /gm),
  ].map(([, quoted, bare, ...numbers]) => {
    const [x = NaN, y = NaN, width = NaN, height = NaN] = numbers.map((inches) => 72 * Number(inches))
    return { name: quoted ?? bare!, x, y, width, height }
  })
}

const isHost = ({ name }: { name: string }): boolean => name.startsWith('node')

describe.each([1, 2, 3, 4, 5, 7, 10, 12, 13, 25, 50])('%i hosts', (count) => {
  const nodes = placed(graphOfLab({ hosts: hostsOf(count) }))
  const hosts = nodes.filter(isHost)

  test('all are there, in order, and none covers another', () => {
    expect(hosts.map(({ name }) => name).toSorted()).toEqual(
      hostsOf(count)
        .map(({ name }) => name as string)
        .toSorted(),
    )
    for (const row of Map.groupBy(hosts, ({ y }) => y).values()) {
      const inOrder = row.toSorted((a, b) => Number(a.name.slice(4)) - Number(b.name.slice(4)))
      for (const [index, host] of inOrder.slice(1).entries()) {
        const left = inOrder[index]!
        expect(Number(host.name.slice(4))).toBe(Number(left.name.slice(4)) + 1)
        expect(host.x - left.x).toBeGreaterThan((host.width + left.width) / 2)
      }
    }
  })

  test('the underlay is as wide as they are', () => {
    const [underlay] = nodes.filter((node) => !isHost(node))
    const left = Math.min(...hosts.map(({ x, width }) => x - width / 2))
    const right = Math.max(...hosts.map(({ x, width }) => x + width / 2))
    expect(underlay!.width).toBeGreaterThanOrEqual(right - left)
  })
})

test('hosts of different heights stand in one row', () => {
  const hosts = placed(mixed).filter(isHost)
  expect(new Set(hosts.map(({ height }) => height)).size).toBe(3)
  expect(new Set(hosts.map(({ y }) => y)).size).toBe(1)
})

test('every port that a line ends at is there', () => {
  const dot = dotOf(graphOfLab({ hosts: hostsOf(10) }))
  const named = new Set(dot.matchAll(/PORT="(\w+)"/g).map(([, port]) => port))
  const used = [...dot.matchAll(/":(\w+):[ns]/g)].map(([, port]) => port)
  expect(used).toHaveLength(20)
  expect(used.filter((port) => !named.has(port))).toEqual([])
})

test('no name is taken for syntax', () => {
  const names = placed(bad).map(({ name }) => name)
  expect(names).toHaveLength(3)
  expect(names).toContain('the underlay')
  const dot = dotOf(bad)
  expect(graphviz.dot(dot, 'plain').match(/^node /gm)).toHaveLength(3)
  expect(dot).not.toContain(badName)
})
