/** One direction of a packet while it is followed, and the steps said so far. */
import type { TableName } from '../../modules/state.ts'
import { pushedOf, type LabPlan } from '../../overlay/plan.ts'
import { bridge } from '../../overlay/pods.ts'
import type { Observed } from './collect.ts'
import type { End } from './endpoint.ts'
import { lookupWords, type Lookup } from './script.ts'
import type { Fault, Leg, Step, Topic } from './step.ts'
import type { Found, HostView, Sighting } from './view.ts'
import { overlabCommand } from '../../tools/command-line.ts'

export interface Course {
  readonly plan: LabPlan
  readonly observed: Observed
  readonly leg: Leg
  readonly message: 'request' | 'reply'
  readonly from: End
  readonly to: End
  /** `to`'s own address, unless the packet it answers came from another one. */
  readonly destination: string
  readonly steps: Step[]
  /** The source address, as the packet has it now. */
  source: string
  /** Of the frame inside the envelope: the MAC to which it was sent. */
  innerMac?: string
}

/** Thrown where the way ends early; the last step has the fault. */
export class Stopped extends Error {}

/** What puts back an entry of overlab's, or by a flanneld that it starts anew, one of flanneld's. */
export function restores(): string {
  return `\`${overlabCommand('up')}\` restores it`
}

export function routeStep(
  c: Course,
  host: string,
  lookup: Lookup,
  found: Found,
  decision: string,
  key?: string,
): void {
  step(c, host, 'route', {
    decision,
    ...(found.entry ? { entry: found.entry.entry, by: found.entry.by } : {}),
    see: see(host, `ip ${lookupWords(lookup)}`),
    ...(key === undefined ? {} : differing(c, host, 'routes', key)),
  })
}

export function forwardingOff(c: Course, host: string): never {
  return broken(
    c,
    host,
    'route',
    {
      what: 'sysctl',
      ...planned(c, host, 'sysctls', 'net/ipv4/ip_forward'),
      text: `${host} does not forward: net.ipv4.ip_forward is 0`,
    },
    { see: see(host, 'sysctl net.ipv4.ip_forward') },
  )
}

export function stop(
  c: Course,
  host: string,
  topic: Topic,
  lookup: Lookup,
  found: Found,
  fault: Omit<Fault, 'host' | 'remedy'> & { readonly remedy?: string },
): never {
  return broken(
    c,
    lookup.pod ?? host,
    topic,
    { host, ...fault },
    {
      ...(found.entry ? { entry: found.entry.entry, by: found.entry.by } : {}),
      see: see(lookup.pod ?? host, `ip ${lookupWords(lookup)}`),
    },
  )
}

export function broken(
  c: Course,
  actor: string,
  topic: Topic,
  fault: Omit<Fault, 'remedy' | 'host'> & { readonly remedy?: string; readonly host?: string },
  more: Partial<Step> = {},
): never {
  const host = fault.host ?? actor
  const remedy =
    fault.remedy ??
    (fault.owner === undefined
      ? unplanned(c, host, fault.what)
      : `put there by ${fault.owner}: ${restores()}`)
  step(c, actor, topic, {
    decision: 'the packet goes no further',
    ...more,
    fault: { ...fault, host, remedy },
  })
  throw new Stopped()
}

/** Of what no plan of overlab's has. */
function unplanned({ plan }: Course, host: string, what: string): string {
  if (['pod', 'neighbour', 'address', 'peer'].includes(what))
    return `the inventory plans nothing of the kind: \`${overlabCommand('inventory list')}\``
  return plan.hosts[host]?.control === 'flanneld'
    ? 'not planned by overlab: flanneld has control of this host, and may write it'
    : 'not planned by overlab, and no flanneld has control of this host'
}

export function step(
  c: Course,
  actor: string,
  topic: Topic,
  more: Omit<Step, 'leg' | 'actor' | 'topic'>,
): void {
  const { leg } = c
  c.steps.push({ leg, actor, topic, ...more })
}

export function view(c: Course, host: string): HostView {
  const { observed } = c
  const seen = observed.views[host]
  if (seen) return seen
  return broken(c, host, 'not known', {
    what: 'answer',
    text: `${host} could not be asked: ${observed.failures[host] ?? 'it said nothing'}`,
    remedy: `${overlabCommand('up')} boots a machine that is down`,
  })
}

type Planned = Pick<Fault, 'table' | 'key' | 'owner'>

/** The table and key of something that the plan has, and who writes it on that host; nothing where it has not. */
export function planned(c: Course, host: string, table: TableName, key: string): Planned {
  const of = c.plan.hosts[host]
  if (of?.state[table]?.[key] === undefined) return {}
  return { table, key, owner: pushedOf(of)[table]?.[key] === undefined ? 'flanneld' : 'overlab' }
}

export function plannedFilter(c: Course, host: string): Planned {
  const { plan } = c
  return planned(c, host, 'filters', `${plan.hosts[host]!.nic} ingress`)
}

/** The key of the bridge's address, by which the host has its pods' subnet. */
export function gatewayKey(c: Course, host: string): string {
  const { plan } = c
  const { gateway, subnet } = plan.hosts[host]!
  return `${gateway}/${subnet.split('/')[1]} dev ${bridge}`
}

export function differing(c: Course, host: string, table: TableName, key: string): { differs?: string } {
  const { observed } = c
  const change = observed.views[host]?.drift.find((one) => one.table === table && one.key === key)
  if (change?.op !== 'change') return {}
  return { differs: `the plan says: ${change.to}; the host has: ${change.from}; ${restores()}` }
}

/** The packet's headers on the host's NIC, from a capture. */
export function headers(c: Course, host: string): { packet?: Sighting['layers']; notCaptured?: string } {
  const { plan, message } = c
  const seen = view(c, host)
  const { nic } = plan.hosts[host]!
  const found = seen.sightings.find(
    (one) => one.link === nic && one.out === undefined && one.message === message,
  )
  if (found) return { packet: found.layers }
  return { notCaptured: seen.notCaptured ?? `the capture on ${nic} saw no such packet` }
}

export function sighted(c: Course, host: string, link: string, out: boolean): { notCaptured?: string } {
  const { message } = c
  const seen = view(c, host)
  if (seen.sightings.some((one) => one.link === link && one.out === out && one.message === message)) return {}
  return { notCaptured: seen.notCaptured ?? `the capture on ${link} saw no such packet` }
}

export function captureWords(c: Course): string {
  const { plan } = c
  const backend = plan.lab.overlay.Backend
  return backend.Type === 'host-gw' ? 'icmp' : `"icmp or udp port ${backend.Port}"`
}

/** The command by which a person sees the same. */
export function see(where: string, command: string): string {
  return overlabCommand(`exec ${where} -- ${command}`)
}
