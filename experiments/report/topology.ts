/**
 * The drawn labs. Each picture is an image of its own inside the page: its ids, styles and whatever else its file
 * holds stay in there, nothing in it can run, and its text is in `alt` for who does not see it.
 */
import { html, type Html } from './html.ts'
import { listed } from './number.ts'
import type { Comparison } from '../results/comparison.ts'

/** Nothing where no variant has a picture. */
export function topology({ variants }: Comparison): Html | undefined {
  const drawn = variants.flatMap(({ name, svg }) => (svg === undefined ? [] : [{ name, svg }]))
  const pictures = [...Map.groupBy(drawn, ({ svg }) => svg)]
  if (pictures.length === 0) return undefined
  return html`<div class="pictures">
    ${pictures.map(([svg, of]) =>
      figure(
        svg,
        of.map(({ name }) => name),
      ),
    )}
  </div>`
}

function figure(svg: string, names: readonly string[]): Html {
  const text = (element: string) =>
    plain(new RegExp(`<${element}\\b[^>]*>([^<]*)</${element}>`).exec(svg)?.[1] ?? '')
  const alt = [text('title'), text('desc')].filter(Boolean).join('. ')
  const title = listed(names)
  return html`<figure>
    <div class="scroll" role="region" tabindex="0" aria-label="Topology of ${title}">
      <img
        src="data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}"
        alt="${alt || `The lab with ${title}`}"
        ${sizeOf(svg)}
      />
    </div>
    <figcaption>${title}</figcaption>
  </figure>`
}

/** Of the picture's own frame, so that nothing moves while it is read. */
function sizeOf(svg: string): Html | undefined {
  const box = /<svg\b[^>]*\bviewBox="\S+ \S+ ([\d.]+) ([\d.]+)"/.exec(svg)
  return box ? html` width="${Math.round(Number(box[1]))}" height="${Math.round(Number(box[2]))}"` : undefined
}

/** The picture's text as it is read; `html` escapes it anew. */
function plain(xml: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
  return xml.replaceAll(
    /&(?:#(\d+)|([a-z]+));/g,
    (whole, code: string | undefined, name: string | undefined) =>
      code === undefined
        ? (entities[name ?? ''] ?? whole)
        : String.fromCodePoint(Math.min(Number(code), 0x10ffff)),
  )
}
