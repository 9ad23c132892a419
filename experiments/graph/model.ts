/** A lab as a picture needs it, whatever the picture's language: hosts with what lies on what, and the ways between them. */
import { overheads } from '../../inventory/mtu.ts'
import { bridge } from '../../overlay/pods.ts'
import type { LabPlan, PlannedHost } from '../../overlay/plan.ts'

export interface LabGraph {
  readonly title: string
  readonly description: string
  readonly underlay: { readonly title: string; readonly detail: string }
  readonly hosts: readonly DrawnHost[]
  readonly ways: readonly Way[]
}

/** One thing in a host: its name and what is to be said of it. */
export interface Part {
  readonly name: string
  readonly lines: readonly string[]
}

export interface DrawnHost {
  readonly name: string
  readonly pods: readonly Part[]
  /** How many pods `pods` leaves out. */
  readonly morePods: number
  readonly bridge: Part
  /** What wraps and unwraps the packets; none where nothing does. */
  readonly device?: Part
  readonly nic: Part
}

/** How packets get from host to host. Several pairs are one way where they would be too many to draw. */
export interface Way {
  readonly kind: 'tunnel' | 'route'
  /** Two hosts, by their place in `hosts`; every pair where it is undefined. */
  readonly between?: readonly [from: number, to: number]
  /** Only from the first to the second: the way back is of another kind. */
  readonly oneWay?: true
  readonly title: string
  readonly detail: string
}

/** Of more hosts than these the ways are told together: they grow with the square, and nobody follows 45 lines. */
const mostDrawn = 4
const mostPods = 4

export function graphOf({ lab, hosts: planned }: LabPlan): LabGraph {
  const hosts = Object.values(planned)
  const { Backend, Network } = lab.overlay
  const pods = hosts.reduce((sum, host) => sum + host.pods.length, 0)
  const ways = waysOf(hosts, lab)
  return {
    title: `${lab.name}: ${count(hosts.length, 'host')}, ${count(pods, 'pod')}, ${Backend.Type}`,
    description:
      `Pod network ${Network} over underlay ${lab.underlay} by ${Backend.Type}. ` +
      hosts
        .map(
          ({ name, address, subnet, control }) =>
            `${name} ${address} has ${subnet}${control === 'flanneld' ? ', filled by flanneld' : ''}.`,
        )
        .join(' ') +
      ways
        .map(({ kind, title, detail }) => ` ${kind === 'tunnel' ? 'Tunnel' : 'Route'}: ${title}, ${detail}.`)
        .join(''),
    underlay: { title: `underlay ${lab.underlay}`, detail: `MTU ${lab.mtu}, pod network ${Network}` },
    hosts: hosts.map((host) => drawn(host, lab)),
    ways,
  }
}

function drawn(host: PlannedHost, { overlay, mtu }: LabPlan['lab']): DrawnHost {
  const length = host.subnet.split('/')[1]!
  const device = deviceOf(host, overlay.Backend)
  return {
    name: host.name,
    pods: host.pods.slice(0, mostPods).map(({ name, address }) => ({ name, lines: [address] })),
    morePods: Math.max(0, host.pods.length - mostPods),
    bridge: { name: bridge, lines: [`${host.gateway}/${length}`, `MTU ${host.mtu}`] },
    ...(device ? { device } : {}),
    nic: { name: host.nic, lines: [host.address, `MTU ${mtu}`] },
  }
}

function deviceOf(
  { vtep, mtu, nic, control, lent: [tunnel] = [] }: PlannedHost,
  backend: LabPlan['lab']['overlay']['Backend'],
): Part | undefined {
  const by = control === 'flanneld' ? ['by flanneld'] : []
  if (vtep)
    return { name: vtep.name, lines: [`VTEP ${vtep.address}`, `MTU ${mtu}`, `MAC ${vtep.mac}`, ...by] }
  if (tunnel) return { name: tunnel, lines: ['TUN: flanneld wraps and unwraps', `MTU ${mtu}`] }
  // The udp backend has no device: a program on the route wraps, one on the NIC's ingress unwraps.
  if (backend.Type === 'udp')
    return { name: 'BPF programs', lines: ['route: wraps', `${nic} ingress: unwraps`] }
  return undefined
}

function waysOf(hosts: readonly PlannedHost[], lab: LabPlan['lab']): Way[] {
  const pairs = hosts.flatMap((_, from) =>
    hosts.slice(from + 1).map((_, to) => [from, from + 1 + to] as const),
  )
  const single = pairs.flatMap(([from, to]): Way[] => {
    const [there, back] = [kindOf(hosts[from]!, hosts[to]!), kindOf(hosts[to]!, hosts[from]!)]
    if (there === back) return [wayOf(hosts, lab, there, [from, to])]
    return [
      { ...wayOf(hosts, lab, there, [from, to]), oneWay: true },
      { ...wayOf(hosts, lab, back, [to, from]), oneWay: true },
    ]
  })
  return hosts.length <= mostDrawn ? single : together(single, lab)
}

/** With DirectRouting some peers of a vxlan host are behind plain routes: the host's own route says so. */
function kindOf(host: PlannedHost, peer: PlannedHost): Way['kind'] {
  return host.state.routes?.[peer.subnet]?.startsWith(`via ${peer.address} `) ? 'route' : 'tunnel'
}

function wayOf(
  hosts: readonly PlannedHost[],
  lab: LabPlan['lab'],
  kind: Way['kind'],
  between: readonly [number, number],
): Way {
  const [from, to] = between.map((index) => hosts[index]!.address)
  const header = headerOf(kind, lab)
  return {
    kind,
    between,
    title: `${from} - ${to}`,
    detail: kind === 'route' ? `plain route, ${header}` : header,
  }
}

function together(ways: readonly Way[], lab: LabPlan['lab']): Way[] {
  return (['tunnel', 'route'] as const).flatMap((kind): Way[] => {
    const of = ways.filter((way) => way.kind === kind)
    if (of.length === 0) return []
    const oneWay = of.filter((way) => way.oneWay).length
    const noun = kind === 'tunnel' ? 'tunnel' : 'pair'
    const number = `${count(of.length, noun)}${kind === 'route' ? ' by plain routes' : ''}`
    return [
      {
        kind,
        title: `${of.length === ways.length ? 'full mesh, ' : ''}${number}${oneWay ? `, ${oneWay} of them one-way` : ''}`,
        detail: headerOf(kind, lab),
      },
    ]
  })
}

/** The outer header: what it is, its port, and what it takes from each packet. */
function headerOf(kind: Way['kind'], { overlay: { Backend } }: LabPlan['lab']): string {
  if (kind === 'route' || Backend.Type === 'host-gw') return 'no outer header'
  const bytes = `+${overheads[Backend.Type]} bytes`
  return Backend.Type === 'vxlan'
    ? `IPv4, UDP ${Backend.Port}, VXLAN VNI ${Backend.VNI}: ${bytes}`
    : `IPv4, UDP ${Backend.Port}: ${bytes}`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
