/** A trace as a Mermaid sequence diagram: who has the packet, and by which entry it goes on. */
import { visible } from '../../inventory/harmless.ts'
import type { Layer } from './packet.ts'
import type { Step } from './step.ts'
import type { Trace } from './trace.ts'

export function mermaidOf({ from, to, steps, verdict }: Trace): string {
  const actors = [...new Set([from.name, ...steps.map(({ actor }) => actor), to.name])]
  const id = (actor: string): string => `p${actors.indexOf(actor)}`
  const lines: string[] = []
  let before: Step | undefined
  // On the wire the envelope is what a capture saw.
  let wire: string | undefined
  for (const step of steps) {
    if (before && before.actor !== step.actor)
      lines.push(
        `${id(before.actor)}->>${id(step.actor)}: ${clean(`${messageOf(step)}${wire ? ` (${wire})` : ''}`)}`,
      )
    wire = step.topic === 'wire' && step.packet ? envelopeOf(step.packet) : undefined
    lines.push(...notesOf(step).map((note) => `Note over ${id(step.actor)}: ${clean(note)}`))
    before = step
  }
  const broken = before?.fault
  if (broken && before!.actor !== to.name)
    lines.push(`${id(before!.actor)}-x${id(to.name)}: ${clean(broken.what)}`)
  const ends = actors.length > 1 ? `${id(actors[0]!)},${id(actors.at(-1)!)}` : id(actors[0]!)
  lines.push(`Note over ${ends}: ${clean(verdict.sentences[0] ?? '')}`)
  return [
    'sequenceDiagram',
    ...actors.map((actor) => `    participant ${id(actor)} as ${clean(actor)}`),
    ...lines.map((line) => `    ${line}`),
  ].join('\n')
}

function notesOf({ topic, decision, entry, by, fault }: Step): string[] {
  // A rule that stops the packet is there; it is what should not be.
  if (fault && (topic === 'iptables' || topic === 'firewall')) return [`${topic} - ${fault.text}`]
  if (fault) return [`${topic} is missing - ${fault.text}`]
  if (topic === 'wire' || topic === 'iptables') return []
  return [`${topic} - ${entry ?? decision}${by === undefined ? '' : ` (${by})`}`]
}

function messageOf({ leg }: Step): string {
  return leg === 'there' ? 'echo request' : 'echo reply'
}

function envelopeOf(layers: readonly Layer[]): string {
  const ips = layers
    .filter(({ protocol }) => protocol === 'ipv4')
    .map(({ fields }) => `${fields['source']} to ${fields['destination']}`)
  const udp = layers.find(({ protocol }) => protocol === 'udp')
  return [ips[0], udp ? `UDP ${udp.fields['destination port']}` : '', ips[1] ? `inside ${ips[1]}` : '']
    .filter(Boolean)
    .join(', ')
}

/** Mermaid ends a statement at a semicolon and takes # for an entity. */
function clean(text: string): string {
  return visible(text).replaceAll(';', ',').replaceAll('#', '')
}
