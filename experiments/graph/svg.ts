/** A lab as SVG: Graphviz (compiled to WebAssembly, no program to install) draws the DOT text; here it gets its theme. */
import { Graphviz } from '@hpcc-js/wasm-graphviz'
import { dotOf, escaped, font } from './dot.ts'
import type { LabGraph } from './model.ts'
import { theme } from './theme.ts'

const fonts = "ui-sans-serif, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"

export async function svgOf(graph: LabGraph): Promise<string> {
  const graphviz = await Graphviz.load()
  const drawn = graphviz.dot(dotOf(graph), 'svg')
  const head = /<svg width="[\d.]+pt" height="[\d.]+pt"\s+viewBox="(\S+) (\S+) (\S+) (\S+)"[^>]*>/.exec(drawn)
  if (!head) throw new Error(`Graphviz drew no SVG: ${drawn.slice(0, 200)}`)
  const [, left, top, width, height] = head
  const body = drawn
    .slice(head.index + head[0].length)
    // Each would pop up as a tip with a node's name, which stands there already.
    .replaceAll(/<title>.*?<\/title>\n?/gs, '')
    .replaceAll(/<!--.*?-->\n?/gs, '')
    .replaceAll(` font-family="${font}"`, '')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${left} ${top} ${width} ${height}" role="img" aria-labelledby="title desc" font-family="${fonts}">`,
    `<title id="title">${escaped(graph.title)}</title>`,
    `<desc id="desc">${escaped(graph.description)}</desc>`,
    style(),
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="10" fill="${theme.page.light}"/>`,
    body.trim(),
    '',
  ].join('\n')
}

/** Graphviz writes colours as attributes. A style rule is stronger than those, so it can swap each for its dark one. */
function style(): string {
  const swaps = Object.values(theme).flatMap(({ light, dark }) => [
    `[fill="${light}"] { fill: ${dark}; }`,
    `[stroke="${light}"] { stroke: ${dark}; }`,
  ])
  return ['<style>', '@media (prefers-color-scheme: dark) {', ...swaps, '}', '</style>'].join('\n')
}
