/**
 * A lab as a Mermaid flowchart, which GitHub draws in a page: a box a host, and below them the underlay, in whose box
 * the ways between the hosts are lines of text. Mermaid bends an edge between two hosts around all that is in between
 * and moves the hosts apart: three tunnels are a tangle already.
 */
import type { DrawnHost, LabGraph, Part, Way } from './model.ts'

export function graphMermaidOf({ title, description, hosts, underlay, ways }: LabGraph): string {
  return [
    // A line of the underlay's box stays whole; Mermaid breaks one at 200 pixels.
    '%%{init: {"flowchart": {"wrappingWidth": 600}}}%%',
    'flowchart TB',
    `    accTitle: ${clean(title)}`,
    `    accDescr: ${clean(description)}`,
    ...hosts.flatMap(hostLines),
    `    underlay["${[underlay.title, underlay.detail, ...wayLines(ways)].map(clean).join('<br/>')}"]`,
    ...hosts.map((_, index) => `    h${index}nic --- underlay`),
  ].join('\n')
}

function hostLines({ name, pods, morePods, bridge, device, nic }: DrawnHost, index: number): string[] {
  const id = `h${index}`
  const podIds = pods.map((_, pod) => `${id}pod${pod}`)
  const more = morePods > 0 ? [`${id}more`] : []
  const down = [...(device ? [`${id}dev`] : []), `${id}nic`]
  return [
    `    subgraph ${id}["${clean(name)}"]`,
    ...pods.map((pod, at) => `        ${podIds[at]}(${box(pod)})`),
    ...more.map((one) => `        ${one}("and ${morePods} more pods")`),
    `        ${id}cni[${box(bridge)}]`,
    ...(device ? [`        ${id}dev[${box(device)}]`] : []),
    `        ${id}nic[${box(nic)}]`,
    ...[...podIds, ...more].map((pod) => `        ${pod} --- ${id}cni`),
    `        ${[`${id}cni`, ...down].join(' --- ')}`,
    '    end',
  ]
}

/** Each outer header once, and below it the ways that have it. */
function wayLines(ways: readonly Way[]): string[] {
  const headers = [...new Set(ways.map(({ detail }) => detail))]
  return headers.flatMap((header) => [
    `${header}:`,
    ...ways
      .filter(({ detail }) => detail === header)
      .map(({ title, between, oneWay }) => (between ? title.replace(' - ', oneWay ? ' → ' : ' ↔ ') : title)),
  ])
}

function box({ name, lines }: Part): string {
  return `"${[name, ...lines].map(clean).join('<br/>')}"`
}

/** Of a quoted label: entities in Mermaid's form, and nothing that would end the statement. */
function clean(text: string): string {
  return text.replaceAll(/[&#"<>]|;|\s+/g, (found) => entities[found] ?? ' ')
}

const entities: Readonly<Record<string, string>> = {
  '&': '#amp;',
  '#': '#35;',
  '"': '#quot;',
  '<': '#lt;',
  '>': '#gt;',
  ';': '#59;',
}
