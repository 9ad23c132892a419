/** A trace to be read from top to bottom. */
import type { Layer } from './packet.ts'
import type { Step } from './step.ts'
import type { Trace } from './trace.ts'

/** How to draw what stands out; `plain` draws nothing. */
export interface Paint {
  readonly title: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly quiet: (text: string) => string
}

const asItIs = (text: string): string => text
export const plain: Paint = { title: asItIs, good: asItIs, bad: asItIs, quiet: asItIs }

export function textOf(trace: Trace, paint: Paint = plain): string {
  const { from, to, backend, steps, verdict } = trace
  const legs = (['there', 'back'] as const).flatMap((leg) => {
    const own = steps.map((step, at) => ({ step, number: at + 1 })).filter(({ step }) => step.leg === leg)
    const title = leg === 'there' ? 'THERE: the echo request' : 'BACK: the echo reply'
    return own.length === 0
      ? []
      : [
          '',
          paint.title(title),
          ...own.flatMap(({ step, number }) => [
            '',
            ...block(step, number, paint, isRepeated(steps, number - 1)),
          ]),
        ]
  })
  const [first = '', ...rest] = verdict.sentences
  return [
    paint.title(`${placeOf(from)} -> ${placeOf(to)}, backend ${backend}`),
    `one echo request, known by its payload ${trace.sent.pattern}`,
    ...legs,
    '',
    verdict.arrived ? paint.good(first) : paint.bad(first),
    ...rest,
  ].join('\n')
}

function placeOf({ kind, name, address, host }: Trace['from']): string {
  return kind === 'pod'
    ? `${name} (${address}, on ${host})`
    : name === address
      ? address
      : `${name} (${address})`
}

function block(step: Step, number: number, paint: Paint, same: boolean): string[] {
  const { actor, topic, decision, entry, by, see, rules = [], packet, notCaptured, fault, differs } = step
  const line = (name: string, text: string): string => `    ${paint.quiet(name.padEnd(14))} ${text}`
  return [
    `${String(number).padStart(2)}. ${paint.title(`${actor}: ${topic}`)}`,
    `    ${decision}`,
    ...(entry === undefined ? [] : [line('entry', entry)]),
    ...(by === undefined ? [] : [line('by', by)]),
    ...rules.flatMap(({ table, chain, rule, before, after, by }) => [
      line('rule', `${table} ${chain} ${rule}`),
      line('', `${before} -> ${after}, by ${by}`),
    ]),
    ...(packet === undefined
      ? []
      : same
        ? [line('capture', 'field by field as it left')]
        : packet.flatMap((layer, at) => layerLines(layer, sideOf(packet, at), line))),
    ...(notCaptured === undefined ? [] : [line('capture', `not captured: ${notCaptured}`)]),
    ...(differs === undefined ? [] : [paint.bad(line('differs', differs))]),
    ...(fault === undefined ? [] : [paint.bad(line('broken', fault.text)), line('remedy', fault.remedy)]),
    ...(see === undefined ? [] : [line('see', paint.quiet(see))]),
  ]
}

/** What arrived is what left: said once. */
function isRepeated(steps: readonly Step[], at: number): boolean {
  const before = steps[at - 1]?.packet
  return before !== undefined && JSON.stringify(before) === JSON.stringify(steps[at]!.packet)
}

/** Of a packet in an envelope: which side of the UDP (or VXLAN) header a layer is on. */
function sideOf(packet: readonly Layer[], at: number): '' | 'outer ' | 'inner ' {
  const envelope = packet.findIndex(({ protocol }) => protocol === 'udp')
  const isWrapped = packet.findLastIndex(({ protocol }) => protocol === 'ipv4') > envelope && envelope >= 0
  const { protocol } = packet[at]!
  if (!isWrapped || protocol === 'udp' || protocol === 'vxlan' || protocol === 'payload') return ''
  return at < envelope ? 'outer ' : 'inner '
}

/** Wide enough for most terminals, and for a page of documentation. */
const width = 88

function layerLines(
  { protocol, fields }: Layer,
  side: string,
  line: (name: string, text: string) => string,
): string[] {
  const lines: string[] = []
  for (const field of Object.entries(fields).map(([name, value]) => `${name} ${value}`)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + field.length < width)
      lines[lines.length - 1] = `${last}, ${field}`
    else lines.push(field)
  }
  const title = `${side}${titles[protocol]}`
  return lines.map((text, at) => line(at === 0 ? title : '', text))
}

const titles: Readonly<Record<Layer['protocol'], string>> = {
  ethernet: 'Ethernet',
  arp: 'ARP',
  ipv4: 'IPv4',
  udp: 'UDP',
  vxlan: 'VXLAN',
  icmp: 'ICMP',
  payload: 'payload',
  cut: 'cut off',
}
