/** The host's own part: its routes, its iptables, its NIC. */
import { contains, toBlock, toNumber } from '../../inventory/ipv4.ts'
import type { Ip } from '../../inventory/values.ts'
import { textOf } from '../../modules/json.ts'
import { bridge } from '../../overlay/pods.ts'
import { firewall, type Passing } from './firewall.ts'
import {
  broken,
  captureWords,
  forwardingOff,
  headers,
  planned,
  restores,
  routeStep,
  see,
  step,
  stop,
  view,
  type Course,
} from './course.ts'
import {
  decisionOf,
  devOf,
  innerSource,
  instead,
  isPermanent,
  linkNamed,
  macOf,
  neighbour,
  plannedRoute,
  prefixOf,
  ruleOwner,
  wayOf,
  type Way,
} from './kernel.ts'
import { drops } from './rules.ts'
import { lookupKey, type Lookup } from './script.ts'
import type { Leg } from './step.ts'
import { overlabCommand } from '../../tools/command-line.ts'

export function hostRoute(c: Course, host: string): Way {
  const { plan, from, destination } = c
  const seen = view(c, host)
  const forwarded = from.kind === 'pod'
  if (forwarded && !isOwn(c, host, destination) && !seen.forwards) forwardingOff(c, host)
  const lookup: Lookup = forwarded
    ? { to: destination, from: from.address, iif: bridge }
    : { to: destination }
  const found = seen.lookups[lookupKey(lookup)] ?? {}
  const key = plannedRoute(plan.hosts[host]!, destination) ?? farSubnet(c, host)
  const matched = found.entry && prefixOf(found.entry)
  const own = isOwn(c, host, destination)
  // What overlab does not plan is flanneld's, who may have one route for the whole network: any but the default will do.
  const wrong =
    planned(c, host, 'routes', key ?? '').key === undefined ? '0.0.0.0/0' === matched : matched !== key
  if (key !== undefined && !own && (!found.entry || wrong))
    stop(c, host, 'route', lookup, found, {
      what: 'route',
      ...planned(c, host, 'routes', key),
      text: `${host} has no route to ${key}: ${instead(found)}`,
    })
  if (!found.entry)
    stop(c, host, 'route', lookup, found, {
      what: 'route',
      text: `${host} has no route to ${destination}: ${found.error ?? 'the kernel knows none'}`,
    })
  const way = wayOf(seen, found)
  if (!forwarded && typeof found.result?.['prefsrc'] === 'string') c.source = found.result['prefsrc']
  routeStep(
    c,
    host,
    lookup,
    found,
    `${decisionOf(way)}${forwarded ? '' : `, with the source ${c.source}`}`,
    key,
  )
  return way
}

/** Of a pod on another host: its host's subnet, which some route must know. */
function farSubnet({ plan, to }: Course, host: string): string | undefined {
  return to.kind === 'pod' && to.host && to.host !== host ? plan.hosts[to.host]!.subnet : undefined
}

export function isOwn(c: Course, host: string, address: string): boolean {
  const { plan } = c
  return (
    address === plan.hosts[host]!.address ||
    contains(toBlock(plan.hosts[host]!.subnet), toNumber(address as Ip))
  )
}

/**
 * The rules whose counters rose on a host: once, on the way there, for both directions.
 * @param passing how the packet passes the host's firewall; undefined where the host itself sends it
 */
export function rules(c: Course, host: string, leg: Leg, passing?: Passing): void {
  const { plan, message } = c
  const seen = view(c, host)
  const isGone = seen.sightings.some((one) => one.message === message && one.out === true)
  firewall(c, host, passing, isGone, seen.rules.find(drops))
  if (leg === 'back') return
  const matched = seen.rules.map((rule) => ({ ...rule, by: ruleOwner(rule, plan.hosts[host]!) }))
  const command = see(host, 'iptables-save -c')
  step(c, host, 'iptables', {
    decision:
      matched.length === 0
        ? 'no rule and no policy counted a packet'
        : 'rules and policies whose counters rose meanwhile (packets before -> after; the answer passes here too)',
    rules: matched,
    see: command,
  })
}

/** Whether the packet leaves with another source than it came with, by the packet itself. */
export function masquerade(c: Course, host: string, way: Way): void {
  const { plan, leg, from, to } = c
  const left = seenSource(c, host, way.dev)
  if (left === undefined) return
  const rule = view(c, host).rules.find(({ rule }) => / -j (MASQUERADE|SNAT)\b/.test(rule))
  if (left !== c.source) {
    step(c, host, 'address translation', {
      decision: `the source ${c.source} becomes ${left}`,
      ...(rule
        ? { entry: `${rule.table} ${rule.chain} ${rule.rule}`, by: ruleOwner(rule, plan.hosts[host]!) }
        : {}),
      see: see(host, 'iptables-save -c -t nat'),
    })
    c.source = left
  } else if (way.kind === 'plain' && leg === 'there' && from.kind === 'pod' && to.kind !== 'pod') {
    const missing = view(c, host).drift.find(
      ({ table, op, key }) => table === 'iptables' && op === 'add' && key.startsWith('nat '),
    )
    step(c, host, 'address translation', {
      decision: `leaves with the pod's own address ${c.source}`,
      ...(missing
        ? {
            differs: `nobody beyond the lab knows a way back to ${c.source}; the rule ${missing.key} is missing; ${restores()}`,
          }
        : {}),
      see: see(host, 'iptables-save -c -t nat'),
    })
  }
}

/** What a masquerading rule made of the source, by the packet that left. */
export function seenSource(c: Course, host: string, dev: string): string | undefined {
  const { plan, message } = c
  const seen = view(c, host).sightings.find(
    (one) =>
      one.message === message && one.out === true && (one.link === dev || one.link === plan.hosts[host]!.nic),
  )
  return innerSource(seen)
}

/** By the NIC: which way the outer packet goes, and to which MAC. */
export function leave(c: Course, host: string, way: Way, outer: string | undefined): void {
  const { plan, to, destination } = c
  const seen = view(c, host)
  const { nic } = plan.hosts[host]!
  let nextHop = way.via ?? destination
  if (outer !== undefined) {
    const lookup = { to: outer }
    const found = seen.lookups[lookupKey(lookup)]
    if (found?.error !== undefined && !found.entry)
      stop(c, host, 'route', lookup, found, {
        what: 'route',
        text: `${host} has no route to ${outer}: ${found.error}`,
      })
    nextHop = outer
    if (found?.entry) {
      const via = textOf(found.entry.detail, 'gateway')
      nextHop = via || outer
      routeStep(
        c,
        host,
        lookup,
        found,
        via
          ? `the host ${outer} is behind ${nextHop}`
          : `the host ${outer} is on the same link, by ${devOf(found.entry)}`,
      )
    }
  }
  const entry = neighbour(seen.neighbours, nextHop, nic)
  const mac = macOf(entry)
  const command = see(host, `ip neigh show ${nextHop}`)
  if (mac === undefined)
    broken(
      c,
      host,
      'neighbour',
      {
        what: 'neighbour',
        text: `${host} asked who has ${nextHop} (ARP), and nobody on ${nic} answered`,
        remedy: `is the host ${nextHop} up? ${overlabCommand('ping')}`,
      },
      { ...(entry ? { entry: entry.entry } : {}), see: command },
    )
  const farMac = to.host && nextHop === plan.hosts[to.host]!.address ? macOfNic(c, to.host) : undefined
  step(c, host, 'neighbour', {
    decision: `${nextHop} has the MAC ${mac}`,
    entry: entry!.entry,
    by: `${entry!.by}${isPermanent(entry!) ? '' : ', by ARP'}`,
    see: command,
    ...(farMac !== undefined && farMac !== mac
      ? {
          differs: `${to.host}'s ${nic} has the MAC ${farMac}; to be asked again: ip neigh del ${nextHop} dev ${nic}`,
        }
      : {}),
  })
  step(c, host, 'wire', {
    decision: `leaves by ${nic}${outer === undefined ? ', as it is: no envelope' : ''}`,
    see: see(host, `tcpdump -n -e -v -i ${nic} ${captureWords(c)}`),
    ...headers(c, host),
  })
}

/** As its kernel says; undefined where the host could not be asked. */
function macOfNic({ plan, observed }: Course, host: string): string | undefined {
  const seen = observed.views[host]
  const address = seen && linkNamed(seen, plan.hosts[host]!.nic)?.detail['address']
  return typeof address === 'string' ? address : undefined
}

export function arrivalOnWire(c: Course, host: string): void {
  const { nic } = c.plan.hosts[host]!
  const mac = macOfNic(c, host)
  const seen = headers(c, host)
  const target = seen.packet?.[0]?.fields['destination']
  if (target !== undefined && mac !== undefined && target !== mac)
    broken(
      c,
      host,
      'wire',
      {
        what: 'MAC',
        text: `the frame is for the MAC ${target}, but ${host}'s ${nic} has ${mac}: it does not take it`,
        remedy: `see the neighbour by which it was sent`,
      },
      seen,
    )
  step(c, host, 'wire', {
    decision: `comes in by ${nic}`,
    see: see(host, `tcpdump -n -e -v -i ${nic} ${captureWords(c)}`),
    ...seen,
  })
}

export function arrive(c: Course, host: string): void {
  const { leg } = c
  step(c, host, 'arrival', {
    decision: leg === 'there' ? `${host} itself answers` : 'the answer has arrived',
    see: see(host, 'ip route show table local'),
  })
}
