import { describe, expect, test } from 'vitest'
import { svgOf } from '../../../experiments/graph/svg.ts'
import { theme } from '../../../experiments/graph/theme.ts'
import { bad, mixed, plain } from './labs.ts'

describe.each(Object.entries({ ...plain, mixed, bad }))('%s', (_, graph) => {
  test('every tag is closed, and every other character of syntax is an entity', async () => {
    const svg = await svgOf(graph)
    const open: string[] = []
    const text = svg
      .replace(/<style>.*<\/style>/s, '')
      .replaceAll(
        /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/gi,
        (_, end: string, name: string, _attributes: string, empty: string) => {
          if (end) expect(open.pop()).toBe(name)
          else if (!empty) open.push(name)
          return ''
        },
      )
    expect(open).toEqual([])
    expect(text.match(/[<>]|&(?!(?:\w+|#\d+);)/g)).toBeNull()
  })

  test('says what it is', async () => {
    const svg = await svgOf(graph)
    expect(svg).toMatch(/^<svg [^>]*role="img" aria-labelledby="title desc"/)
    expect(svg.match(/<title/g)).toHaveLength(1)
    expect(svg.match(/<desc/g)).toHaveLength(1)
  })

  test('no colour is without its dark one', async () => {
    const svg = await svgOf(graph)
    const used = new Set(svg.matchAll(/(?:fill|stroke)="([^"]+)"/g).map((match) => match[1]!))
    const known = new Set<string>(['none', 'transparent', ...Object.values(theme).map(({ light }) => light)])
    expect(used.size).toBeGreaterThan(5)
    expect([...used].filter((colour) => !known.has(colour))).toEqual([])
    for (const { light, dark } of Object.values(theme))
      expect(svg).toContain(`[fill="${light}"] { fill: ${dark}; }`)
  })
})

test('a colour of the theme stands for one thing', () => {
  const lights = Object.values(theme).map(({ light }) => light)
  expect(new Set(lights).size).toBe(lights.length)
})

test('each text stays in its picture', async () => {
  const svg = await svgOf(plain['vxlan-10']!)
  const [left, top, width, height] = /viewBox="([^"]+)"/.exec(svg)![1]!.split(' ').map(Number)
  const places = [...svg.matchAll(/<text [^>]*x="([\d.-]+)" y="([\d.-]+)"/g)]
  expect(places.length).toBeGreaterThan(100)
  const [, shiftX, shiftY] = /translate\(([\d.]+) ([\d.]+)\)/.exec(svg)!.map(Number)
  for (const [, x, y] of places) {
    expect(Number(x) + shiftX!).toBeGreaterThan(left!)
    expect(Number(x) + shiftX!).toBeLessThan(left! + width!)
    expect(Number(y) + shiftY!).toBeGreaterThan(top!)
    expect(Number(y) + shiftY!).toBeLessThan(top! + height!)
  }
})
