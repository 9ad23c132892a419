/** A lab as a Mermaid flowchart, which GitHub draws in a page: a box a host, and the ways between them as lines. */
import type { DrawnHost, LabGraph, Part, Way } from './model.ts'

export function graphMermaidOf({ title, description, hosts, underlay, ways }: LabGraph): string {
  return [
    'flowchart TB',
    `    accTitle: ${clean(title)}`,
    `    accDescr: ${clean(description)}`,
    ...hosts.flatMap(hostLines),
    `    underlay[/"${[underlay.title, underlay.detail, ...ways.filter(({ between }) => !between).map(wordsOf)].map(clean).join('<br/>')}"/]`,
    ...hosts.map((_, index) => `    h${index}nic --- underlay`),
    ...ways.flatMap((way) => lineOf(way, hosts)),
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

/** From what wraps to what unwraps; between the NICs where the packets go as they are. */
function lineOf({ kind, between, oneWay, title, detail }: Way, hosts: readonly DrawnHost[]): string[] {
  if (!between) return []
  const [from, to] = between.map(
    (index) => `h${index}${kind === 'tunnel' && hosts[index]!.device ? 'dev' : 'nic'}`,
  )
  return [`    ${from} ${oneWay ? '' : '<'}-. "${clean(title)}<br/>${clean(detail)}" .-> ${to}`]
}

function box({ name, lines }: Part): string {
  return `"${[name, ...lines].map(clean).join('<br/>')}"`
}

function wordsOf({ title, detail }: Way): string {
  return `${title}: ${detail}`
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
