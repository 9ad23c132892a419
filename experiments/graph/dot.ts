/**
 * A lab in Graphviz's language. A host is one node, its parts stacked as a packet goes down: pods, bridge, device,
 * NIC. The underlay is a bar below (or between two rows of hosts) with a slot for each NIC, and the ways between
 * hosts are pipes in it. Every label is an HTML-like one (graphviz.org/doc/info/shapes.html#html).
 */
import type { DrawnHost, LabGraph, Part, Way } from './model.ts'
import { theme } from './theme.ts'

/** Two rows of hosts with the underlay between them; the lower row stands upside down. */
interface Band {
  readonly upper: readonly number[]
  readonly lower: readonly number[]
}

export function dotOf(graph: LabGraph): string {
  const bands = bandsOf(graph.hosts.length)
  const columns = Math.max(...bands.map(({ upper }) => upper.length))
  const width = widthOf(graph)
  const lowerHosts = new Set(bands.flatMap(({ lower }) => lower))
  return [
    'graph lab {',
    `  graph [bgcolor="transparent", rankdir=TB, nodesep=${between / 72}, ranksep=0.35, pad=0.2, labelloc=t, fontname="${font}", fontsize=17,`,
    `    fontcolor="${theme.text.light}", label=<<B>${escaped(graph.title)}</B>>]`,
    `  node [shape=plain, fontname="${font}", fontsize=12, fontcolor="${theme.text.light}"]`,
    `  edge [color="${theme.line.light}", penwidth=2]`,
    ...graph.hosts.map(
      (host, index) => `  ${id(host.name)} [label=<${hostTable(host, lowerHosts.has(index), width)}>]`,
    ),
    ...bands.flatMap((band, index) => bandLines(graph, band, columns, width, index)),
    ...bands.slice(1).flatMap((band, index) => joinLines(graph, bands[index]!, band)),
    '}',
    '',
  ].join('\n')
}

/** The widest of the usual fonts, and one whose widths Graphviz knows by itself: a text in another one fits as well. */
export const font = 'DejaVu Sans'
const bar = (index: number): string => id(index === 0 ? 'the underlay' : `the underlay ${index + 1}`)

/** One row up to 4 hosts, two up to 12; from there about as wide as a page in landscape. */
function bandsOf(hosts: number): Band[] {
  const columns = hosts <= 4 ? hosts : hosts <= 12 ? Math.ceil(hosts / 2) : Math.ceil(1.3 * Math.sqrt(hosts))
  const rows = hosts <= 4 ? 1 : 2
  const all = Array.from({ length: hosts }, (_, index) => index)
  const bands: Band[] = []
  for (let first = 0; first < hosts; first += rows * columns)
    bands.push({
      upper: all.slice(first, first + columns),
      lower: all.slice(first + columns, first + rows * columns),
    })
  return bands
}

function bandLines(
  graph: LabGraph,
  { upper, lower }: Band,
  columns: number,
  width: number,
  index: number,
): string[] {
  const name = (host: number): string => id(graph.hosts[host]!.name)
  const node = bar(index)
  return [
    `  ${node} [label=<${underlayTable(graph, columns, width, index)}>]`,
    ...rowLines(upper.map(name)),
    ...rowLines(lower.map(name)),
    // Heavy, so that every host stands straight above or below its slot.
    ...upper.map((host, slot) => `  ${name(host)}:nic:s -- ${node}:u${slot}:n [weight=50]`),
    ...lower.map((host, slot) => `  ${node}:l${slot}:s -- ${name(host)}:nic:n [weight=50]`),
  ]
}

/** Hosts beside each other, in order. */
function rowLines(names: readonly string[]): string[] {
  if (names.length < 2) return []
  return [`  { rank=same; ${names.join(' -- ')} [style=invis] }`]
}

/** The next band stands below. */
function joinLines(graph: LabGraph, above: Band, below: Band): string[] {
  const name = (host: number): string => id(graph.hosts[host]!.name)
  return below.upper.map(
    (host, slot) => `  ${name(above.lower[slot]!)} -- ${name(host)} [style=invis, weight=50]`,
  )
}

function hostTable(host: DrawnHost, upsideDown: boolean, width: number): string {
  const rows = [
    row(
      `<TD BORDER="0" WIDTH="${width - 12}"><B><FONT POINT-SIZE="14">${escaped(host.name)}</FONT></B></TD>`,
    ),
    row(`<TD BORDER="0" CELLPADDING="0">${podTable(host)}</TD>`),
    row(cell(theme.bridge.light, host.bridge)),
    ...(host.device ? [row(cell(theme.device.light, host.device))] : []),
    row(cell(theme.nic.light, host.nic, ' PORT="nic"')),
  ]
  return (
    `<TABLE BORDER="1" STYLE="ROUNDED" CELLBORDER="1" CELLSPACING="5" CELLPADDING="5" COLOR="${theme.line.light}" BGCOLOR="${theme.host.light}">` +
    `${(upsideDown ? rows.toReversed() : rows).join('')}</TABLE>`
  )
}

function podTable({ pods, morePods }: DrawnHost): string {
  if (pods.length === 0) return quiet('no pods')
  const cells = pods.map((pod) => cell(theme.pod.light, pod))
  const rows = Array.from({ length: Math.ceil(cells.length / 2) }, (_, index) =>
    row(cells.slice(2 * index, 2 * index + 2).join('')),
  )
  const more = morePods > 0 ? row(`<TD BORDER="0" COLSPAN="2">${quiet(`and ${morePods} more`)}</TD>`) : ''
  return `<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="4" CELLPADDING="5" COLOR="${theme.line.light}">${rows.join('')}${more}</TABLE>`
}

function cell(colour: string, { name, lines }: Part, attributes = ''): string {
  const text = lines.map((line) => `<BR/>${quiet(line)}`).join('')
  return `<TD${attributes} STYLE="ROUNDED" BGCOLOR="${colour}" COLOR="${theme.line.light}"><B>${escaped(name)}</B>${text}</TD>`
}

/** Of every host, in points, so that they stand in straight columns: as wide as the longest pod names need, two in a row. */
function widthOf({ hosts }: LabGraph): number {
  const pods = hosts.flatMap((host) => host.pods.map(({ name }) => name.length))
  // 12-point bold letters and digits are about 8 points wide; 20 is a cell's padding and its share of the gaps.
  return Math.max(200, 2 * (8 * Math.max(0, ...pods) + 20) + 20)
}

/** Between two hosts, in points. */
const between = 20

/** Between two cells of the bar. */
const spacing = 4

/** Two cells a host, so that a pipe can start and end in the middle of a column and leave room for the next one. */
function underlayTable({ underlay, ways }: LabGraph, columns: number, width: number, index: number): string {
  const span = 2 * columns
  const slots = (side: string): string =>
    row(
      Array.from(
        { length: columns },
        (_, slot) =>
          `<TD PORT="${side}${slot}" COLSPAN="2" WIDTH="${width + between - spacing}" HEIGHT="1" CELLPADDING="0"></TD>`,
      ).join(''),
    )
  const title = `<B>${escaped(underlay.title)}</B><BR/>${quiet(index > 0 ? 'the same as above' : underlay.detail)}`
  const pipes = index === 0 ? pipeRows(ways, columns) : []
  return (
    `<TABLE BORDER="1" STYLE="ROUNDED" CELLBORDER="0" CELLSPACING="${spacing}" CELLPADDING="4" COLOR="${theme.line.light}" BGCOLOR="${theme.underlay.light}">` +
    `${slots('u')}${row(`<TD COLSPAN="${span}">${title}</TD>`)}${pipes.join('')}${slots('l')}</TABLE>`
  )
}

/** Pipes side by side where they do not overlap. */
function pipeRows(ways: readonly Way[], columns: number): string[] {
  const rows: { end: number; cells: string[] }[] = []
  const inOrder = ways
    .map((way) => {
      const ends = way.between?.toSorted((a, b) => a - b)
      return ends
        ? { way, start: 2 * ends[0]! + 1, end: 2 * ends[1]! + 1 }
        : { way, start: 0, end: 2 * columns }
    })
    .toSorted((a, b) => a.end - a.start - (b.end - b.start) || a.start - b.start)
  for (const { way, start, end } of inOrder) {
    let line = rows.find((one) => one.end <= start)
    if (!line) rows.push((line = { end: 0, cells: [] }))
    line.cells.push(gap(start - line.end), pipe(way, end - start))
    line.end = end
  }
  return rows.map(({ end, cells }) => row(cells.join('') + gap(2 * columns - end)))
}

function gap(cells: number): string {
  return cells > 0 ? `<TD COLSPAN="${cells}"></TD>` : ''
}

function pipe({ kind, between: ends, oneWay, title, detail }: Way, cells: number): string {
  const [from, to] = ends ?? [0, 1]
  const [left, right] = ends ? (oneWay ? (from < to ? ['', ' →'] : ['← ', '']) : ['← ', ' →']) : ['', '']
  return (
    `<TD COLSPAN="${cells}" BORDER="1" STYLE="ROUNDED${kind === 'route' ? ',DASHED' : ''}" COLOR="${theme.line.light}" BGCOLOR="${theme[kind].light}">` +
    `${left}${escaped(title)}${right}<BR/>${quiet(detail)}</TD>`
  )
}

function row(cells: string): string {
  return `<TR>${cells}</TR>`
}

function quiet(text: string): string {
  return `<FONT COLOR="${theme.quiet.light}" POINT-SIZE="11">${escaped(text)}</FONT>`
}

/** Of HTML-like labels, and of SVG. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** A double-quoted ID: only the quote is escaped in it, and a backslash at its end would escape that. */
function id(name: string): string {
  return `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
