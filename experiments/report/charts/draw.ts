/**
 * From a Vega-Lite specification to SVG in the page. Vega draws in Node, without a browser, a canvas or a DOM: the
 * page needs no script, and prints. Its colours are the page's own, so that they follow the reader's theme.
 */
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { html, madeMarkup, type Html } from '../html.ts'

/** Pixels; a phone of 360 has that much between its margins. */
const width = 328
const fontSize = 12

/**
 * The pixels of the longest of some labels. Vega has no canvas here to measure with, and takes letters for wider than
 * they are: 0.57 of the size is a letter of the widest of the page's fonts. So the chart is laid out by this alone.
 */
export function textWidth(labels: readonly string[]): number {
  return Math.ceil(0.57 * fontSize * Math.max(0, ...labels.map((label) => label.length)))
}

/** What is left of the chart beside the names of the vertical axis. */
export function plotWidth(names: readonly string[]): number {
  return Math.max(120, width - textWidth(names) - labelGap - rightMargin)
}

/** Between a mark, or the axis, and what is written beside it. */
export const labelGap = 9
/** Half a number of the horizontal axis fits there. */
export const rightMargin = 12
/** The horizontal axis: its numbers, and with a unit that too. */
const bottomMargin = 38

/** One of the marks that are drawn one upon the other. */
export type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number]

export interface Drawing {
  /** Unique in the page. */
  readonly id: string
  /** What is drawn, for those who do not see it. */
  readonly title: string
  readonly description: string
  /** Of the horizontal axis. */
  readonly unit: string
  /** The longest label of the vertical axis. */
  readonly labels: readonly string[]
  /** Pixels a row. */
  readonly step: number
  readonly layer: Layer[]
}

export async function draw({ id, title, description, unit, labels, step, layer }: Drawing): Promise<Html> {
  const left = textWidth(labels) + labelGap
  const whole: TopLevelSpec = {
    layer: [...layer, unitBelow(unit, plotWidth(labels), labels.length * step)],
    width: plotWidth(labels),
    height: labels.length * step,
    autosize: { type: 'none' },
    padding: { left, right: rightMargin, top: 2, bottom: bottomMargin },
    background: 'transparent',
    config: {
      aria: false,
      font: 'inherit',
      view: { stroke: null },
      text: { fontSize, color: 'currentColor' },
      axis: { labelFontSize: fontSize, titleFontSize: fontSize, labelColor: 'var(--quiet)', ticks: false },
      axisX: { domain: false, gridColor: 'var(--line)', labelPadding: 4 },
      axisY: {
        domainColor: 'var(--strong-line)',
      },
    },
  }
  const drawn = await new View(parse(compile(whole).spec), { renderer: 'none' }).toSVG()
  const head = /<svg [^>]*width="([\d.]+)" height="([\d.]+)" viewBox="[^"]*">/.exec(drawn)
  if (!head) throw new Error(`Vega drew no SVG: ${drawn.slice(0, 200)}`)
  const [start, wide, high] = head
  return html`<svg
    class="chart"
    viewBox="0 0 ${wide} ${high}"
    width="${wide}"
    height="${high}"
    role="img"
    aria-labelledby="${id}-title ${id}-desc"
  >
    <title id="${id}-title">${title}</title>
    <desc id="${id}-desc">${description}</desc>
    ${madeMarkup(bare(drawn.slice(head.index + start.length, drawn.lastIndexOf('</svg>'))))}
  </svg> `
}

/** The unit is data like every text of a file: as an axis' title some words (`valueOf`) mean something to Vega. */
function unitBelow(unit: string, plot: number, height: number): Layer {
  return {
    data: { values: [{ unit }] },
    mark: { type: 'text', x: plot / 2, y: height + bottomMargin - 8, color: 'var(--quiet)' },
    encoding: { text: { field: 'unit', type: 'nominal' } },
  }
}

/** Without what Vega adds for its own script, and what shows nothing. Only tags are looked into, never a text. */
function bare(body: string): string {
  return body
    .replaceAll(/<(text|line|path)[^>]* (?:opacity="0"|display="none")(?:\/>|>[^<]*<\/\1>)/g, '')
    .replaceAll(/<[^>]+>/g, (tag) =>
      tag
        .replaceAll(/ (?:role|aria-[a-z]+|class|pointer-events|xlink:[a-z]+)="[^"]*"/g, '')
        .replace(' opacity="1"', '')
        .replaceAll(/(\.\d{2})\d+/g, '$1'),
    )
}
