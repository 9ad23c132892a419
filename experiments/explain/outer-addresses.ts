/** Question 1: which addresses stand in the header that leaves by the NIC? */
import { endOf } from '../trace/endpoint.ts'
import { observe } from '../trace/collect.ts'
import type { Layer } from '../trace/packet.ts'
import { textOf } from '../trace/text.ts'
import { traceOf } from '../trace/trace.ts'
import type { Backend, Control } from '../variants/variant.ts'
import { borrow } from './borrow.ts'
import { claim, type Claim } from './claim.ts'
import { iptablesOf } from './iptables.ts'
import { inEachBackend, type Found } from './labs.ts'
import { isLost, isWhole, ping, words, type Loss } from './loss.ts'
import { CannotMeasure, isNotMeasured, measured, type Measured } from './measured.ts'
import type { Notes } from './notes.ts'
import { question } from './question.ts'
import { backendOf, controlOf, placesOf, type Places, type Site } from './site.ts'
import { overlabCommand } from '../../tools/command-line.ts'

/** Source and destination of an IPv4 header. */
type Way = readonly [source: string, destination: string]

export interface Sending {
  readonly backend: Backend
  readonly control: Control
  readonly nics: Way
  readonly pods: Way
  /** The tunnel device's own address on the sending host. */
  readonly device?: string
  /** The IPv4 headers of one packet, the outermost first, on both NICs. */
  readonly wire: Measured<{ readonly left: readonly Way[]; readonly arrived: readonly Way[] }>
  /** Pings while a firewall of the receiving host drops what comes from NIC to NIC, or by the NIC from pod to pod. */
  readonly firewall: Measured<{ readonly nics: Loss; readonly pods: Loss; readonly afterwards: Loss }>
}

export const outerAddresses = question<readonly Found<Sending>[]>({
  number: 1,
  question: "Does a tunnel send with the physical NIC's IP addresses?",
  answer:
    "Yes: the outer IPv4 header of vxlan and udp goes from the sending host's NIC to the receiving host's, and the inner one keeps the pods' own addresses; host-gw is no tunnel, and has no outer header.",
  experiment:
    "A firewall on the receiving host drops, in turn, what goes from NIC to NIC and what comes by the NIC from pod to pod; that rules out that the tunnel device's own address or a translated one is on the wire.",
  gather: (labs, notes) => inEachBackend(labs, (site) => sendingIn(site, notes)),
  claims: claimsOfSending,
})

async function sendingIn(site: Site, notes: Notes): Promise<Sending> {
  const places = placesOf(site)
  const { near, far } = places
  const backend = backendOf(site)
  notes.begin(site, 'evidence', 'The headers of one packet, captured on both NICs')
  for (const { host } of [near, far]) await notes.run(host.name, `ip -br -4 addr show ${host.nic}`)
  if (near.host.vtep) await notes.run(near.host.name, `ip -br -4 addr show ${near.host.vtep.name}`)
  const wire = await measured(() => headersOf(site, notes, places), site.signal)
  return {
    backend,
    control: controlOf(site),
    nics: [near.host.address, far.host.address],
    pods: [near.pod.address, far.pod.address],
    ...(near.host.vtep ? { device: near.host.vtep.address } : {}),
    wire,
    firewall: await measured(() => throughFirewalls(site, notes, places), site.signal),
  }
}

async function headersOf(site: Site, notes: Notes, { near, far }: Places) {
  const [from, to] = [endOf(site.plan, near.pod.name)!, endOf(site.plan, far.pod.name)!]
  const observed = await observe(site.session, site.plan, from, to, { signal: site.signal })
  const trace = traceOf(site.plan, observed, from, to)
  notes.add({
    command: overlabCommand(`trace ${from.name} ${to.name}`),
    output: wiresOf(textOf({ ...trace, steps: trace.steps.filter(({ leg }) => leg === 'there') })),
  })
  const wires = trace.steps.filter(({ leg, topic }) => leg === 'there' && topic === 'wire')
  const headers = (host: string): Way[] => {
    const wire = wires.find(({ actor }) => actor === host)
    if (!wire?.packet)
      throw new CannotMeasure(`${host}: ${wire?.notCaptured ?? 'the packet did not come so far'}`)
    return waysOf(wire.packet)
  }
  return { left: headers(near.host.name), arrived: headers(far.host.name) }
}

function waysOf(layers: readonly Layer[]): Way[] {
  return layers
    .filter(({ protocol }) => protocol === 'ipv4')
    .map(({ fields }) => [String(fields['source']), String(fields['destination'])])
}

/** Pure. Of a trace's text the blocks of the wires. */
export function wiresOf(text: string): string {
  const blocks = text.split('\n\n')
  return blocks
    .flatMap((block, at) =>
      /^ *\d+\. .*: wire$/m.test(block)
        ? [block]
        : at === 0 || /^ *\d+\. .*: wire$/m.test(blocks[at - 1]!)
          ? ['...']
          : [],
    )
    .join('\n')
}

async function throughFirewalls(site: Site, notes: Notes, { near, far }: Places) {
  const backend = site.plan.lab.overlay.Backend
  if (backend.Type === 'udp' && controlOf(site) === 'static')
    throw new CannotMeasure(
      'the BPF filter takes the outer header off before a firewall can see it; the capture is from before that',
    )
  notes.begin(site, 'experiment', `A firewall on ${far.host.name}: NIC to NIC, then pod to pod`)
  const tool = iptablesOf(far.host)
  const port = backend.Type === 'host-gw' ? '' : ` -p udp --dport ${backend.Port}`
  const drop = async (rule: string): Promise<Loss> =>
    borrow(
      notes,
      {
        host: far.host.name,
        take: `${tool} -I ${rule}`,
        back: `${tool} -D ${rule}`,
        backSafely: `while ${tool} -D ${rule} 2>/dev/null; do :; done`,
      },
      () => ping(notes, near.pod.name, far.pod.address),
    )
  const nics = await drop(`INPUT -s ${near.host.address} -d ${far.host.address}${port} -j DROP`)
  const pods = await drop(`FORWARD -i ${far.host.nic} -s ${near.pod.address} -d ${far.pod.address} -j DROP`)
  return { nics, pods, afterwards: await ping(notes, near.pod.name, far.pod.address) }
}

export function claimsOfSending(all: readonly Found<Sending>[]): Claim[] {
  return all.flatMap(({ lab, found }) => {
    if (isNotMeasured(found)) return [{ claim: `${lab}: which addresses are on the wire`, ...found }]
    return found.backend === 'host-gw' ? ofRouting(lab, found) : ofTunnel(lab, found)
  })
}

function ofTunnel(lab: string, { backend, control, nics, pods, device, wire, firewall }: Sending): Claim[] {
  const claims = [
    claim(`${lab}: the outer header has the two NICs' addresses`, wire, ({ left, arrived }) => [
      left.length === 2 && same(left[0], nics) && same(arrived[0], nics),
      left.length === 2
        ? `${say(left[0])}, as the NICs have them`
        : `${left.length} IPv4 header on the wire: ${left.map(say).join(', ')}`,
    ]),
    claim(
      `${lab}: the inner header keeps the pods' addresses, untranslated, to the end`,
      wire,
      ({ left, arrived }) => [
        same(left.at(-1), pods) && same(arrived.at(-1), pods),
        `${say(left.at(-1))} when it leaves, ${say(arrived.at(-1))} when it arrives`,
      ],
    ),
    ...(device === undefined
      ? []
      : [
          claim(`${lab}: the tunnel device's own address is in neither`, wire, ({ left }) => [
            !left.flat().includes(device),
            `it has ${device}`,
          ]),
        ]),
  ]
  if (backend === 'udp' && control === 'static') return claims
  return [
    ...claims,
    claim(
      `${lab}: a firewall that stops NIC to NIC stops the pods; one that stops pod to pod on the NIC stops nothing`,
      firewall,
      (f) => [
        isLost(f.nics) && isWhole(f.pods) && isWhole(f.afterwards),
        `${words(f.nics)}; ${words(f.pods)}; without either ${words(f.afterwards)}`,
      ],
    ),
  ]
}

function ofRouting(lab: string, { pods, wire, firewall }: Sending): Claim[] {
  return [
    claim(
      `${lab}: there is no outer header; the only one has the pods' addresses`,
      wire,
      ({ left, arrived }) => [
        left.length === 1 && same(left[0], pods) && same(arrived[0], pods),
        `${left.length} IPv4 header on the wire: ${left.map(say).join(', ')}`,
      ],
    ),
    claim(
      `${lab}: a firewall that stops NIC to NIC stops nothing; one that stops pod to pod on the NIC stops the pods`,
      firewall,
      (f) => [
        isWhole(f.nics) && isLost(f.pods) && isWhole(f.afterwards),
        `${words(f.nics)}; ${words(f.pods)}; without either ${words(f.afterwards)}`,
      ],
    ),
  ]
}

function same(one: Way | undefined, other: Way): boolean {
  return one !== undefined && one[0] === other[0] && one[1] === other[1]
}

function say(way: Way | undefined): string {
  return way ? `${way[0]} -> ${way[1]}` : 'nothing'
}
