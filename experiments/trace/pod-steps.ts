/** The pod and the bridge: how a packet leaves a pod, and how one is given to it. */
import { textOf, entriesOf, textsOf } from '../../modules/json.ts'
import { vethOf } from '../../modules/pod.ts'
import { bridge } from '../../overlay/pods.ts'
import {
  broken,
  differing,
  gatewayKey,
  planned,
  see,
  sighted,
  step,
  stop,
  view,
  type Course,
} from './course.ts'
import { bridgeEntry, devOf, isPermanent, linkNamed, macOf, neighbour } from './kernel.ts'
import { lookupKey, lookupWords, type Lookup } from './script.ts'

export function podRoute(c: Course, host: string): { nextHop: string; dev: string } {
  const { from, destination } = c
  const pod = view(c, host).pods[from.name]
  if (!pod)
    broken(c, host, 'route', {
      what: 'pod',
      ...planned(c, host, 'pods', from.name),
      text: `${host} has no pod ${from.name}: there is no network namespace of that name`,
    })
  const lookup: Lookup = { pod: from.name, to: destination }
  const found = view(c, host).lookups[lookupKey(lookup)] ?? {}
  if (!found.entry)
    stop(c, host, 'route', lookup, found, {
      what: 'default route',
      ...planned(c, host, 'pods', from.name),
      text: `${from.name} has no route to ${destination}: ${found.error ?? 'the kernel knows none'}`,
    })
  const gateway = textOf(found.entry.detail, 'gateway')
  const dev = devOf(found.entry)
  step(c, from.name, 'route', {
    decision: gateway
      ? `${destination} is not in the pod's own subnet: to its gateway ${gateway} by ${dev}`
      : `${destination} is in the pod's own subnet: straight to it by ${dev}`,
    entry: found.entry.entry,
    by: inPod(c, host, from.name, found.entry.by),
    see: see(from.name, `ip ${lookupWords(lookup)}`),
  })
  return { nextHop: gateway || destination, dev }
}

export function podNeighbour(c: Course, host: string, nextHop: string, dev: string): string {
  const { from, to } = c
  const entry = neighbour(view(c, host).pods[from.name]!.neighbours, nextHop, dev)
  const mac = macOf(entry)
  const shared = { see: see(from.name, `ip neigh show ${nextHop}`) }
  if (mac === undefined)
    broken(
      c,
      from.name,
      'neighbour',
      {
        host,
        what: 'neighbour',
        ...(nextHop === to.address
          ? planned(c, host, 'pods', to.name)
          : planned(c, host, 'addresses', gatewayKey(c, host))),
        text: `${from.name} asked who has ${nextHop} (ARP), and nobody on ${bridge} answered`,
      },
      { ...shared, ...(entry ? { entry: entry.entry } : {}) },
    )
  step(c, from.name, 'neighbour', {
    decision: `${nextHop} has the MAC ${mac}`,
    entry: entry!.entry,
    by: `${entry!.by}${isPermanent(entry!) ? '' : ', by ARP'}`,
    ...shared,
  })
  return mac
}

/** From the pod's end to the bridge: up to the host's IP, or out by another pod's port. */
export function onBridge(c: Course, host: string, pod: string, mac: string): 'host' | 'pod' {
  const seen = view(c, host)
  const veth = vethOf(pod)
  const port = seen.ports.find((one) => one['ifname'] === veth)
  const command = see(host, `bridge fdb show br ${bridge}`)
  if (port?.['master'] !== bridge || port['state'] !== 'forwarding')
    broken(
      c,
      host,
      'bridge',
      {
        what: 'bridge port',
        ...planned(c, host, 'pods', pod),
        text: `${host} does not have ${pod}'s end ${veth} as a forwarding port of ${bridge}: its packets go nowhere`,
      },
      { see: see(host, 'bridge link') },
    )
  const entry = bridgeEntry(seen, mac)
  // Permanent: the MAC of the bridge itself, or of one of its ports' ends on the host.
  const own = entry?.detail['state'] === 'permanent' || linkNamed(seen, bridge)?.detail['address'] === mac
  const out = entry ? String(entry.detail['ifname']) : undefined
  step(c, host, 'bridge', {
    decision: own
      ? `the frame comes in by the port ${veth}; its MAC is the host's own: up to ${host}'s IP`
      : `the frame comes in by the port ${veth} and goes out by ${out ?? 'every port (the MAC is not known)'}`,
    ...(entry
      ? {
          entry: entry.entry,
          by: own
            ? `kernel, with the link ${bridge} (${linkNamed(seen, bridge)!.by})`
            : 'kernel, learned from its frames',
        }
      : {}),
    see: command,
    ...sighted(c, host, veth, false),
    ...differing(c, host, 'pods', pod),
  })
  return own ? 'host' : 'pod'
}

/** The pod's neighbour on the bridge, and its port. */
export function ownPod(c: Course, host: string): void {
  const { to } = c
  const seen = view(c, host)
  const pod = seen.pods[to.name]
  const eth0 = pod?.links.find((link) => link['ifname'] === 'eth0')
  const addresses = entriesOf(eth0 ?? {}, 'addr_info').map((one) => String(one['local']))
  if (!eth0 || !addresses.includes(to.address) || !textsOf(eth0, 'flags').includes('UP'))
    broken(
      c,
      host,
      'bridge',
      {
        what: 'pod',
        ...planned(c, host, 'pods', to.name),
        text: pod
          ? `${to.name} has no eth0 that is up with ${to.address}: nobody on ${bridge} answers for it`
          : to.name === to.address
            ? `${host} has no pod with the address ${to.address}`
            : `${host} has no pod ${to.name}: there is no network namespace of that name`,
      },
      { see: see(host, pod ? `ip -n ${to.name} addr` : 'ip netns list') },
    )
  const entry = neighbour(seen.neighbours, to.address, bridge)
  const mac = macOf(entry)
  if (mac === undefined)
    broken(
      c,
      host,
      'neighbour',
      {
        what: 'neighbour',
        ...planned(c, host, 'pods', to.name),
        text: `${host} asked who has ${to.address} (ARP), and nobody on ${bridge} answered; is ${to.name}'s eth0 up, with this address?`,
      },
      { ...(entry ? { entry: entry.entry } : {}), see: see(host, `ip neigh show dev ${bridge}`) },
    )
  step(c, host, 'neighbour', {
    decision: `${to.address} has the MAC ${mac}`,
    entry: entry!.entry,
    by: `${entry!.by}${isPermanent(entry!) ? '' : ', by ARP'}`,
    see: see(host, `ip neigh show dev ${bridge}`),
  })
  const out = bridgeEntry(seen, mac)
  step(c, host, 'bridge', {
    decision: `out by the port ${out ? String(out.detail['ifname']) : 'that the MAC answers on (every port is tried)'}`,
    ...(out ? { entry: out.entry, by: 'kernel, learned from its frames' } : {}),
    see: see(host, `bridge fdb show br ${bridge}`),
    ...differing(c, host, 'pods', to.name),
  })
}

export function deliver(c: Course, host: string): void {
  const { leg, to } = c
  step(c, to.name, 'arrival', {
    decision: `${to.address} is its own eth0${leg === 'there' ? ': it answers' : '; the answer has arrived'}`,
    entry: `${to.address} dev eth0`,
    by: inPod(c, host, to.name, 'a person'),
    see: see(to.name, 'ip addr show eth0'),
    ...sighted(c, host, vethOf(to.name), true),
  })
}

/** A pod's own entries have no owner's mark; its namespace is overlab's. */
export function inPod(c: Course, host: string, pod: string, otherwise: string): string {
  const { plan, observed } = c
  const changed = observed.views[host]?.drift.some(({ table, key }) => table === 'pods' && key === pod)
  return plan.hosts[host]?.state.pods?.[pod] !== undefined && !changed ? 'overlab, with the pod' : otherwise
}
