/**
 * The packet's way, from what the hosts' kernels hold: each entry is looked up as the kernel would, and the walk ends
 * at the first one that is missing. Pure.
 */
import type { LabPlan } from '../../overlay/plan.ts'
import { bridge } from '../../overlay/pods.ts'
import type { Observed } from './collect.ts'
import {
  forwardingOff,
  gatewayKey,
  planned,
  routeStep,
  see,
  step,
  stop,
  Stopped,
  view,
  type Course,
} from './course.ts'
import type { End } from './endpoint.ts'
import { admission, toItself, type Passing } from './firewall.ts'
import { hostRoute, rules, masquerade, leave, arrivalOnWire, arrive } from './host-steps.ts'
import { devOf, instead, kindOf, linkNamed, type Way } from './kernel.ts'
import { tun } from './lookups.ts'
import { podRoute, podNeighbour, onBridge, ownPod, deliver } from './pod-steps.ts'
import { lookupKey } from './script.ts'
import type { Leg, Step } from './step.ts'
import { unwrapBpf, unwrapFou, wrapBpf, wrapFou, wrapTun } from './udp-steps.ts'
import { wrapVxlan, unwrapVxlan } from './vxlan-steps.ts'

export interface Walk {
  readonly steps: readonly Step[]
  /** The source address that the other end sees. */
  readonly source: string
}

/** One direction. `destination` is `to`'s own address, unless the packet it answers came from another one. */
export function walk(
  plan: LabPlan,
  observed: Observed,
  leg: Leg,
  from: End,
  to: End,
  destination: string,
): Walk {
  const message = leg === 'there' ? 'request' : 'reply'
  const course: Course = {
    plan,
    observed,
    leg,
    message,
    from,
    to,
    destination,
    steps: [],
    source: from.address,
  }
  try {
    travel(course)
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
  }
  return { steps: course.steps, source: course.source }
}

function travel(c: Course): void {
  const { leg, from, to } = c
  if (from.kind === 'outside') {
    step(c, from.name, 'not known', { decision: `beyond the lab; what comes back meets ${to.host} again` })
    receive(c, to.host!, 'plain', from.address)
    return
  }
  const near = from.host!
  const ends = { source: from.address, destination: c.destination }
  if (from.kind === 'pod') {
    const { nextHop, dev } = podRoute(c, near)
    const mac = podNeighbour(c, near, nextHop, dev)
    const port = onBridge(c, near, from.name, mac)
    if (port === 'pod') {
      // Bridged packets meet iptables only where br_netfilter says so.
      if (view(c, near).rules.length > 0)
        rules(c, near, leg, { ...ends, hook: 'forward', in: bridge, out: bridge })
      return deliver(c, near)
    }
  }
  const way = hostRoute(c, near)
  if (way.kind === 'local') {
    if (from.kind === 'pod') toItself(c, near, ends)
    return arrive(c, near)
  }
  if (way.kind === 'bridge') {
    ownPod(c, near)
    return deliver(c, near)
  }
  const passing: Passing = { ...ends, hook: 'forward', in: bridge, out: way.dev }
  // What a host itself sends passes neither hook.
  rules(c, near, leg, from.kind === 'pod' ? passing : undefined)
  masquerade(c, near, way)
  const peer = wrap(c, near, way)
  leave(c, near, way, peer)
  if (to.kind === 'outside' || !to.host) {
    step(c, to.name, 'not known', {
      decision: `${to.address} is no address of the lab; nobody there can be asked`,
    })
    return
  }
  receive(c, to.host, way.kind, c.source)
}

/** The far host: out of the envelope, by its routes to the pod or to itself. */
function receive(c: Course, host: string, kind: Way['kind'], inner: string): void {
  const { plan, leg, to, destination } = c
  const seen = view(c, host)
  arrivalOnWire(c, host)
  admission(c, host, kind)
  const dev = unwrap(c, host, kind, inner)
  const translated = destination !== to.address && to.kind === 'pod'
  if (translated)
    step(c, host, 'address translation', {
      decision: `the answer to ${destination} belongs to a connection that was masqueraded: back to ${to.address}`,
      entry: `conntrack: ${destination} -> ${to.address}`,
      by: 'kernel (by the MASQUERADE rule that the first packet met)',
      see: see(host, `conntrack -L -p icmp`),
    })
  const wanted = to.kind === 'pod' ? to.address : destination
  const lookup = { to: wanted, from: inner, iif: dev }
  const found = seen.lookups[lookupKey(lookup)] ?? {}
  if (to.kind === 'host') {
    if (found.result?.['type'] !== 'local')
      stop(c, host, 'route', lookup, found, {
        what: 'address',
        text: `${host} does not take ${wanted} for its own address`,
      })
    routeStep(c, host, lookup, found, `${wanted} is ${host} itself`)
    rules(c, host, leg, { hook: 'input', in: dev, source: inner, destination: wanted })
    return arrive(c, host)
  }
  if (!seen.forwards) forwardingOff(c, host)
  if (devOf(found.entry) !== bridge)
    stop(c, host, 'route', lookup, found, {
      what: 'route to its own pods',
      ...planned(c, host, 'addresses', gatewayKey(c, host)),
      text: `${host} has no route to its own pods ${plan.hosts[host]!.subnet}: ${instead(found)}`,
    })
  routeStep(c, host, lookup, found, `${wanted} is on the bridge ${bridge}`)
  rules(c, host, leg, { hook: 'forward', in: dev, out: bridge, source: inner, destination: wanted })
  ownPod(c, host)
  deliver(c, host)
}

/** What the way puts around the packet; the underlay address that it is then sent to, where it is. */
function wrap(c: Course, host: string, way: Way): string | undefined {
  if (way.kind === 'vxlan') return wrapVxlan(c, host, way)
  if (way.kind === 'bpf') return wrapBpf(c, host)
  if (way.kind === 'fou') return wrapFou(c, host, way)
  if (way.kind === 'tun') return wrapTun(c, host)
  return undefined
}

/** Returns the link by which the inner packet comes to the host's IP. */
function unwrap(c: Course, host: string, kind: Way['kind'], inner: string): string {
  const { plan } = c
  const seen = view(c, host)
  const { nic } = plan.hosts[host]!
  if (kind === 'vxlan') return unwrapVxlan(c, host)
  if (kind === 'bpf' || kind === 'fou' || kind === 'tun') {
    // The wire is the same: the host that receives may have another datapath.
    const device = kindOf(linkNamed(seen, tun))
    if (device === 'ipip') return unwrapFou(c, host)
    if (device === 'tun') {
      step(c, host, 'decapsulation', {
        decision: `the process that holds ${tun} takes the packet out of its envelope`,
        entry: linkNamed(seen, tun)!.entry,
        by: (seen.tunnels[tun] ?? []).join(', ') || linkNamed(seen, tun)!.by,
        see: see(host, 'ip -d tuntap show'),
      })
      return tun
    }
    unwrapBpf(c, host, inner)
  }
  return nic
}
