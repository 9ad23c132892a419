/**
 * The packet's way, from what the hosts' kernels hold: each entry is looked up as the kernel would, and the walk ends
 * at the first one that is missing. Pure.
 */
import { contains, toBlock, toNumber } from '../../inventory/ipv4.ts'
import type { Cidr, Ip } from '../../inventory/values.ts'
import { encapProgram } from '../../modules/bpf/names.ts'
import type { Entry } from '../../modules/json.ts'
import { vethOf } from '../../modules/pod.ts'
import type { TableName } from '../../modules/state.ts'
import type { LabPlan, PlannedHost } from '../../overlay/plan.ts'
import { bridge } from '../../overlay/pods.ts'
import { parseHoldings, type Holding } from '../holdings.ts'
import type { Observed } from './collect.ts'
import type { End } from './endpoint.ts'
import { tun } from './lookups.ts'
import { drops, type Rule } from './rules.ts'
import { lookupKey, lookupWords, type Lookup } from './script.ts'
import type { Fault, Leg, Step, Topic } from './step.ts'
import type { Found, HostView, Sighting } from './view.ts'

export interface Walk {
  readonly steps: readonly Step[]
  /** The source address that the other end sees. */
  readonly source: string
}

const restores = '`npx overlab up` restores it'

/** Thrown where the walk ends early; the step before it has the fault. */
class Stopped extends Error {}

/** One direction. `destination` is `to`'s own address, unless the packet it answers came from another one. */
export function walk(
  plan: LabPlan,
  observed: Observed,
  leg: Leg,
  from: End,
  to: End,
  destination: string,
): Walk {
  const steps: Step[] = []
  const message = leg === 'there' ? 'request' : 'reply'
  const answered = observed.sent.answered
  let source: string = from.address
  /** Of the frame inside the envelope: the MAC to which it was sent. */
  let innerMac: string | undefined
  try {
    travel()
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
  }
  return { steps, source }

  function travel(): void {
    if (from.kind === 'outside') {
      step(from.name, 'not known', { decision: `beyond the lab; what comes back meets ${to.host} again` })
      receive(to.host!, 'plain', from.address)
      return
    }
    const near = from.host!
    if (from.kind === 'pod') {
      const { nextHop, dev } = podRoute(near)
      const mac = podNeighbour(near, nextHop, dev)
      const port = onBridge(near, from.name, mac)
      if (port === 'pod') {
        // Bridged packets meet iptables only where br_netfilter says so.
        if (view(near).rules.length > 0) rules(near, leg)
        return deliver(near)
      }
    }
    const way = hostRoute(near)
    if (way.kind === 'local') return arrive(near)
    if (way.kind === 'bridge') {
      ownPod(near)
      return deliver(near)
    }
    rules(near, leg)
    masquerade(near, way)
    const peer = wrap(near, way)
    leave(near, way, peer)
    if (to.kind === 'outside' || !to.host) {
      step(to.name, 'not known', {
        decision: `${to.address} is no address of the lab; nobody there can be asked`,
      })
      return
    }
    receive(to.host, way.kind, source)
  }

  /** Whether the packet leaves with another source than it came with, by the packet itself. */
  function masquerade(host: string, way: Way): void {
    const left = seenSource(host, way.dev)
    if (left === undefined) return
    const rule = view(host).rules.find(({ rule }) => / -j (MASQUERADE|SNAT)\b/.test(rule))
    if (left !== source) {
      step(host, 'address translation', {
        decision: `the source ${source} becomes ${left}`,
        ...(rule ? { entry: `${rule.table} ${rule.chain} ${rule.rule}`, by: ruleOwner(rule, host) } : {}),
        see: see(host, 'iptables-save -c -t nat'),
      })
      source = left
    } else if (way.kind === 'plain' && leg === 'there' && from.kind === 'pod' && to.kind !== 'pod') {
      const missing = view(host).drift.find(
        ({ table, op, key }) => table === 'iptables' && op === 'add' && key.startsWith('nat '),
      )
      step(host, 'address translation', {
        decision: `leaves with the pod's own address ${source}`,
        ...(missing
          ? {
              differs: `nobody beyond the lab knows a way back to ${source}; the rule ${missing.key} is missing; ${restores}`,
            }
          : {}),
        see: see(host, 'iptables-save -c -t nat'),
      })
    }
  }

  /** The far host: out of the envelope, by its routes to the pod or to itself. */
  function receive(host: string, kind: Way['kind'], inner: string): void {
    const seen = view(host)
    arrivalOnWire(host)
    const dev = unwrap(host, kind, inner)
    const translated = destination !== to.address && to.kind === 'pod'
    if (translated)
      step(host, 'address translation', {
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
        stop(host, 'route', lookup, found, {
          what: 'address',
          text: `${host} does not take ${wanted} for its own address`,
        })
      routeStep(host, lookup, found, `${wanted} is ${host} itself`)
      rules(host, leg)
      return arrive(host)
    }
    if (!seen.forwards) forwardingOff(host)
    if (devOf(found.entry) !== bridge)
      stop(host, 'route', lookup, found, {
        what: 'route to its own pods',
        ...planned(host, 'addresses', gatewayKey(host)),
        text: `${host} has no route to its own pods ${plan.hosts[host]!.subnet}: ${instead(found)}`,
      })
    routeStep(host, lookup, found, `${wanted} is on the bridge ${bridge}`)
    rules(host, leg)
    ownPod(host)
    deliver(host)
  }

  function podRoute(host: string): { nextHop: string; dev: string } {
    const pod = view(host).pods[from.name]
    if (!pod)
      broken(host, 'route', {
        what: 'pod',
        ...planned(host, 'pods', from.name),
        text: `${host} has no pod ${from.name}: there is no network namespace of that name`,
      })
    const lookup: Lookup = { pod: from.name, to: destination }
    const found = view(host).lookups[lookupKey(lookup)] ?? {}
    if (!found.entry)
      stop(host, 'route', lookup, found, {
        what: 'default route',
        ...planned(host, 'pods', from.name),
        text: `${from.name} has no route to ${destination}: ${found.error ?? 'the kernel knows none'}`,
      })
    const gateway = found.entry.detail['gateway']
    const dev = devOf(found.entry)
    step(from.name, 'route', {
      decision: gateway
        ? `${destination} is not in the pod's own subnet: to its gateway ${String(gateway)} by ${dev}`
        : `${destination} is in the pod's own subnet: straight to it by ${dev}`,
      entry: found.entry.entry,
      by: inPod(host, from.name, found.entry.by),
      see: see(from.name, `ip ${lookupWords(lookup)}`),
    })
    return { nextHop: String(gateway ?? destination), dev }
  }

  function podNeighbour(host: string, nextHop: string, dev: string): string {
    const entry = neighbour(view(host).pods[from.name]!.neighbours, nextHop, dev)
    const mac = macOf(entry)
    const shared = { see: see(from.name, `ip neigh show ${nextHop}`) }
    if (mac === undefined)
      broken(
        from.name,
        'neighbour',
        {
          host,
          what: 'neighbour',
          ...(nextHop === to.address
            ? planned(host, 'pods', to.name)
            : planned(host, 'addresses', gatewayKey(host))),
          text: `${from.name} asked who has ${nextHop} (ARP), and nobody on ${bridge} answered`,
        },
        { ...shared, ...(entry ? { entry: entry.entry } : {}) },
      )
    step(from.name, 'neighbour', {
      decision: `${nextHop} has the MAC ${mac}`,
      entry: entry!.entry,
      by: `${entry!.by}${isPermanent(entry!) ? '' : ', by ARP'}`,
      ...shared,
    })
    return mac
  }

  /** From the pod's end to the bridge: up to the host's IP, or out by another pod's port. */
  function onBridge(host: string, pod: string, mac: string): 'host' | 'pod' {
    const seen = view(host)
    const veth = vethOf(pod)
    const port = seen.ports.find((one) => one['ifname'] === veth)
    const command = see(host, `bridge fdb show br ${bridge}`)
    if (port?.['master'] !== bridge || port['state'] !== 'forwarding')
      broken(
        host,
        'bridge',
        {
          what: 'bridge port',
          ...planned(host, 'pods', pod),
          text: `${host} does not have ${pod}'s end ${veth} as a forwarding port of ${bridge}: its packets go nowhere`,
        },
        { see: see(host, 'bridge link') },
      )
    const entry = bridgeEntry(seen, mac)
    // Permanent: the MAC of the bridge itself, or of one of its ports' ends on the host.
    const own = entry?.detail['state'] === 'permanent'
    const out = entry ? String(entry.detail['ifname']) : undefined
    step(host, 'bridge', {
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
      ...sighted(host, veth, false),
      ...differing(host, 'pods', pod),
    })
    return own ? 'host' : 'pod'
  }

  function hostRoute(host: string): Way {
    const seen = view(host)
    const forwarded = from.kind === 'pod'
    if (forwarded && !isOwn(host, destination) && !seen.forwards) forwardingOff(host)
    const lookup: Lookup = forwarded
      ? { to: destination, from: from.address, iif: bridge }
      : { to: destination }
    const found = seen.lookups[lookupKey(lookup)] ?? {}
    const key = plannedRoute(plan.hosts[host]!, destination)
    const matched = found.entry && prefixOf(found.entry)
    const own = isOwn(host, destination)
    if (key !== undefined && matched !== key && !own)
      stop(host, 'route', lookup, found, {
        what: 'route',
        ...planned(host, 'routes', key),
        text: `${host} has no route to ${key}: ${instead(found)}`,
      })
    if (!found.entry)
      stop(host, 'route', lookup, found, {
        what: 'route',
        text: `${host} has no route to ${destination}: ${found.error ?? 'the kernel knows none'}`,
      })
    const way = wayOf(seen, found)
    if (!forwarded && typeof found.result?.['prefsrc'] === 'string') source = found.result['prefsrc']
    routeStep(host, lookup, found, `${decisionOf(way)}${forwarded ? '' : `, with the source ${source}`}`, key)
    return way
  }

  /** What the way puts around the packet; the underlay address that it is then sent to, where it is. */
  function wrap(host: string, way: Way): string | undefined {
    if (way.kind === 'vxlan') return wrapVxlan(host, way)
    if (way.kind === 'bpf') return wrapBpf(host)
    if (way.kind === 'tun') return wrapTun(host)
    return undefined
  }

  function wrapVxlan(host: string, way: Way): string {
    const seen = view(host)
    const link = linkNamed(seen, way.dev)!
    if (!isUp(link))
      broken(host, 'encapsulation', {
        what: 'link',
        ...planned(host, 'links', way.dev),
        text: `${host}'s ${way.dev} is down`,
      })
    const nextHop = way.via ?? destination
    const entry = neighbour(seen.neighbours, nextHop, way.dev)
    const mac = macOf(entry)
    if (mac === undefined)
      broken(
        host,
        'neighbour',
        {
          what: 'neighbour',
          ...planned(host, 'neighbours', `${nextHop} dev ${way.dev}`),
          text: `${host} has no neighbour ${nextHop} on ${way.dev}: it does not know that VTEP's MAC, and nobody answers ARP there`,
        },
        { ...(entry ? { entry: entry.entry } : {}), see: see(host, `ip neigh show dev ${way.dev}`) },
      )
    step(host, 'neighbour', {
      decision: `${nextHop} (${to.host}'s ${way.dev}) has the MAC ${mac}; nobody is asked`,
      entry: entry!.entry,
      by: entry!.by,
      see: see(host, `ip neigh show dev ${way.dev}`),
      ...differing(host, 'neighbours', `${nextHop} dev ${way.dev}`),
    })
    innerMac = mac
    const fdb =
      seen.fdb.find(
        ({ detail }) => detail['mac'] === mac && detail['ifname'] === way.dev && detail['dst'] !== undefined,
      ) ??
      // The default entry, to which a device that floods sends what it does not know.
      seen.fdb.find(({ detail }) => detail['mac'] === '00:00:00:00:00:00' && detail['ifname'] === way.dev)
    if (!fdb)
      broken(
        host,
        'FDB entry',
        {
          what: 'FDB entry',
          ...planned(host, 'fdb', `${mac} dev ${way.dev}`),
          text: `${host} has no FDB entry for ${mac}: the packet leaves ${way.dev} to nobody`,
        },
        { see: see(host, `bridge fdb show dev ${way.dev}`) },
      )
    const outer = String(fdb.detail['dst'])
    const wanted = to.host && plan.hosts[to.host]!.address
    step(host, 'FDB entry', {
      decision: `${mac} is behind the host ${outer}`,
      entry: fdb.entry,
      by: fdb.by,
      see: see(host, `bridge fdb show dev ${way.dev}`),
      ...(wanted !== undefined && outer !== wanted
        ? { differs: `${to.host} is ${wanted}, not ${outer}; ${restores}` }
        : differing(host, 'fdb', `${mac} dev ${way.dev}`)),
    })
    envelope(host, {
      decision: `${way.dev} puts the frame into UDP: from ${dataOf(link, 'local')} to ${outer}, port ${dataOf(link, 'port')}, VNI ${dataOf(link, 'id')}`,
      entry: link.entry,
      by: link.by,
      see: see(host, `ip -d link show ${way.dev}`),
      ...differing(host, 'links', way.dev),
    })
    return outer
  }

  function wrapBpf(host: string): string {
    const { peers, config, counts } = view(host)
    const peer = longest(peers ?? [], destination)
    const key = plannedPeer(plan.hosts[host]!, destination)
    if (!peer)
      broken(
        host,
        'peer',
        {
          what: 'peer',
          ...(key ? planned(host, 'peers', key) : {}),
          text: `${host} has no peer for ${key ?? destination}: its program knows no host for it and drops the packet${counted(counts, 'no peer')}`,
        },
        { see: see(host, 'bpftool map dump pinned /run/overlab-bpf/overlab_peers') },
      )
    const wanted = to.host && plan.hosts[to.host]!.address
    step(host, 'peer', {
      decision: `${peer[0]} is behind the host ${peer[1]}`,
      entry: `overlab_peers: ${peer[0]} -> ${peer[1]}`,
      // The map is overlab's own (modules/peer.ts).
      by: 'overlab',
      see: see(host, 'bpftool map dump pinned /run/overlab-bpf/overlab_peers'),
      ...(wanted !== undefined && peer[1] !== wanted
        ? { differs: `${to.host} is ${wanted}, not ${peer[1]}; ${restores}` }
        : differing(host, 'peers', peer[0])),
    })
    if (!config)
      broken(host, 'encapsulation', {
        what: 'datapath settings',
        ...plannedFilter(host),
        text: `${host}'s program has no settings (overlab_config): it drops the packet${counted(counts, 'not configured')}`,
      })
    envelope(host, {
      decision: `the program of the route puts the packet into UDP: from ${config.local} to ${peer[1]}, port ${config.port}${counted(counts, 'encapsulated')}`,
      entry: `overlab_config: local ${config.local} subnet ${config.subnet} port ${config.port}`,
      by: 'overlab',
      see: see(host, 'bpftool map dump pinned /run/overlab-bpf/overlab_config'),
    })
    return peer[1]
  }

  function wrapTun(host: string): string | undefined {
    const device = view(host).tunnels.find((one) => one['ifname'] === tun)
    const holders = ((device?.['processes'] ?? []) as { name: string; pid: number }[]).map(
      ({ name, pid }) => `${name} (pid ${pid})`,
    )
    if (holders.length === 0)
      broken(host, 'encapsulation', {
        what: 'process',
        text: `no process on ${host} reads ${tun}: the packet is handed to nobody`,
      })
    envelope(host, {
      decision: `${tun} hands the packet to the process ${holders.join(', ')}, which puts it into UDP`,
      entry: `${tun} tun`,
      by: holders.join(', '),
      see: see(host, 'ip -d tuntap show'),
    })
    return to.host && plan.hosts[to.host]!.address
  }

  /** By the NIC: which way the outer packet goes, and to which MAC. */
  function leave(host: string, way: Way, outer: string | undefined): void {
    const seen = view(host)
    const { nic } = plan.hosts[host]!
    let nextHop = way.via ?? destination
    if (outer !== undefined) {
      const lookup = { to: outer }
      const found = seen.lookups[lookupKey(lookup)]
      if (found?.error !== undefined && !found.entry)
        stop(host, 'route', lookup, found, {
          what: 'route',
          text: `${host} has no route to ${outer}: ${found.error}`,
        })
      nextHop = outer
      if (found?.entry) {
        const via = found.entry.detail['gateway']
        nextHop = String(via ?? outer)
        routeStep(
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
        host,
        'neighbour',
        {
          what: 'neighbour',
          text: `${host} asked who has ${nextHop} (ARP), and nobody on ${nic} answered`,
          remedy: `is the host ${nextHop} up? npx overlab ping`,
        },
        { ...(entry ? { entry: entry.entry } : {}), see: command },
      )
    const farMac = to.host && nextHop === plan.hosts[to.host]!.address ? plan.hosts[to.host]!.mac : undefined
    step(host, 'neighbour', {
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
    step(host, 'wire', {
      decision: `leaves by ${nic}${outer === undefined ? ', as it is: no envelope' : ''}`,
      see: see(host, `tcpdump -n -e -v -i ${nic} ${captureWords()}`),
      ...headers(host),
    })
  }

  function arrivalOnWire(host: string): void {
    const { nic, mac } = plan.hosts[host]!
    const seen = headers(host)
    const target = seen.packet?.[0]?.fields['destination']
    if (target !== undefined && target !== mac)
      broken(
        host,
        'wire',
        {
          what: 'MAC',
          text: `the frame is for the MAC ${target}, but ${host}'s ${nic} has ${mac}: it does not take it`,
          remedy: `see the neighbour by which it was sent`,
        },
        seen,
      )
    step(host, 'wire', {
      decision: `comes in by ${nic}`,
      see: see(host, `tcpdump -n -e -v -i ${nic} ${captureWords()}`),
      ...seen,
    })
  }

  /** Returns the link by which the inner packet comes to the host's IP. */
  function unwrap(host: string, kind: Way['kind'], inner: string): string {
    const seen = view(host)
    const { nic } = plan.hosts[host]!
    if (kind === 'vxlan') {
      const device = plan.hosts[host]!.vtep?.name ?? ''
      const link = linkNamed(seen, device)
      if (!link || !isUp(link))
        broken(
          host,
          'decapsulation',
          {
            what: 'link',
            ...planned(host, 'links', device),
            text: link
              ? `${host}'s ${device} is down`
              : `${host} has no link ${device}: nobody takes the packet out of its envelope`,
          },
          { see: see(host, `ip -d link show ${device}`) },
        )
      const mac = String(link.detail['address'])
      if (innerMac !== undefined && innerMac !== mac)
        broken(
          host,
          'decapsulation',
          {
            what: 'MAC',
            ...(plan.hosts[host]!.vtep?.mac === mac
              ? planned(
                  plan.hosts[from.host!]!.name,
                  'neighbours',
                  `${plan.hosts[host]!.vtep?.address} dev ${device}`,
                )
              : planned(host, 'links', device)),
            text: `the frame inside is for ${innerMac}, but ${host}'s ${device} has the MAC ${mac}: it does not take the frame`,
          },
          { entry: link.entry, by: link.by, see: see(host, `ip -d link show ${device}`) },
        )
      step(host, 'decapsulation', {
        decision: `port ${dataOf(link, 'port')} with VNI ${dataOf(link, 'id')} is ${device}'s: the frame in it comes in by ${device}, to its MAC ${String(link.detail['address'])}`,
        entry: link.entry,
        by: link.by,
        see: see(host, `ip -d link show ${device}`),
        ...differing(host, 'links', device),
      })
      return device
    }
    if (kind === 'bpf' || kind === 'tun') {
      if (kind === 'tun' && linkNamed(seen, tun)) {
        step(host, 'decapsulation', {
          decision: `the process that holds ${tun} takes the packet out of its envelope`,
          entry: linkNamed(seen, tun)!.entry,
          by: linkNamed(seen, tun)!.by,
          see: see(host, 'ip -d tuntap show'),
        })
        return tun
      }
      unwrapBpf(host, inner)
    }
    return nic
  }

  function unwrapBpf(host: string, inner: string): void {
    const { filters, config, peers, counts } = view(host)
    const { nic } = plan.hosts[host]!
    const command = see(host, `tc filter show dev ${nic} ingress`)
    const ours = filters.find((filter) =>
      String((filter['options'] as Entry)['bpf_name']).startsWith('overlab-udp-'),
    )
    if (!ours || !config)
      broken(
        host,
        'decapsulation',
        {
          what: ours ? 'datapath settings' : 'tc filter',
          ...plannedFilter(host),
          text: ours
            ? `${host}'s program has no settings (overlab_config): it leaves the packet in its envelope`
            : `${host} has no tc filter on ${nic} ingress: nobody takes the packet out of its envelope`,
        },
        { see: command },
      )
    const sender = from.host && plan.hosts[from.host]!.address
    const known = longest(peers ?? [], inner)
    if (inner !== sender && known?.[1] !== sender) {
      const key = plannedPeer(plan.hosts[host]!, inner)
      broken(
        host,
        'decapsulation',
        {
          what: 'peer',
          ...(key ? planned(host, 'peers', key) : {}),
          text: `${host} has no peer for ${key ?? inner} (${from.host}): its filter takes no packet of ${inner} from ${sender}${counted(counts, 'source invalid')}`,
        },
        { see: see(host, 'bpftool map dump pinned /run/overlab-bpf/overlab_peers') },
      )
    }
    const bad = (['payload invalid', 'destination other', 'decapsulation failed'] as const).find(
      (reason) => counts[reason],
    )
    step(host, 'decapsulation', {
      decision: `the filter takes what comes to ${config.local} port ${config.port} out of its envelope, if its sender may send it${counted(counts, 'decapsulated')}`,
      entry: `${nic} ingress pref ${String(ours['pref'])} bpf ${String((ours['options'] as Entry)['bpf_name']).replace(/:.*/, '')}`,
      // By its preference and its pin's name (modules/filter.ts).
      by: 'overlab',
      see: command,
      ...(bad
        ? { differs: `the filter dropped packets meanwhile${counted(counts, bad)}` }
        : differing(host, 'filters', `${nic} ingress`)),
    })
  }

  /** The pod's neighbour on the bridge, and its port. */
  function ownPod(host: string): void {
    const seen = view(host)
    const pod = seen.pods[to.name]
    const eth0 = pod?.links.find((link) => link['ifname'] === 'eth0')
    const addresses = ((eth0?.['addr_info'] ?? []) as Entry[]).map((one) => String(one['local']))
    if (!eth0 || !addresses.includes(to.address) || !((eth0['flags'] ?? []) as string[]).includes('UP'))
      broken(
        host,
        'bridge',
        {
          what: 'pod',
          ...planned(host, 'pods', to.name),
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
        host,
        'neighbour',
        {
          what: 'neighbour',
          ...planned(host, 'pods', to.name),
          text: `${host} asked who has ${to.address} (ARP), and nobody on ${bridge} answered; is ${to.name}'s eth0 up, with this address?`,
        },
        { ...(entry ? { entry: entry.entry } : {}), see: see(host, `ip neigh show dev ${bridge}`) },
      )
    step(host, 'neighbour', {
      decision: `${to.address} has the MAC ${mac}`,
      entry: entry!.entry,
      by: `${entry!.by}${isPermanent(entry!) ? '' : ', by ARP'}`,
      see: see(host, `ip neigh show dev ${bridge}`),
    })
    const out = bridgeEntry(seen, mac)
    step(host, 'bridge', {
      decision: `out by the port ${out ? String(out.detail['ifname']) : 'that the MAC answers on (every port is tried)'}`,
      ...(out ? { entry: out.entry, by: 'kernel, learned from its frames' } : {}),
      see: see(host, `bridge fdb show br ${bridge}`),
      ...differing(host, 'pods', to.name),
    })
  }

  function deliver(host: string): void {
    step(to.name, 'arrival', {
      decision: `${to.address} is its own eth0${leg === 'there' ? ': it answers' : '; the answer has arrived'}`,
      entry: `${to.address} dev eth0`,
      by: inPod(host, to.name, 'a person'),
      see: see(to.name, 'ip addr show eth0'),
      ...sighted(host, vethOf(to.name), true),
    })
  }

  function arrive(host: string): void {
    step(host, 'arrival', {
      decision: leg === 'there' ? `${host} itself answers` : 'the answer has arrived',
      see: see(host, 'ip route show table local'),
    })
  }

  /** The rules whose counters rose on a host: once, on the way there, for both directions. */
  function rules(host: string, leg: Leg): void {
    if (leg === 'back') return
    const seen = view(host)
    const matched = seen.rules.map((rule) => ({ ...rule, by: ruleOwner(rule, host) }))
    const drop = matched.find(drops)
    const command = see(host, 'iptables-save -c')
    const isGone = seen.sightings.some((one) => one.message === message && one.out === true)
    if (drop && !answered && !isGone) {
      const missing = seen.drift.find(({ table, op }) => table === 'iptables' && op === 'add')
      broken(
        host,
        'iptables',
        {
          what: 'iptables rule',
          ...(missing ? { table: 'iptables', key: missing.key } : {}),
          text: `${host}'s iptables drop the packet: ${drop.table} ${drop.chain} ${drop.rule} (${drop.before} -> ${drop.after})${missing ? `; the rule ${missing.key} that accepts it is missing` : ''}`,
          ...(missing ? {} : { remedy: 'not of overlab; whoever put it there may take it away' }),
        },
        { rules: matched, see: command },
      )
    }
    step(host, 'iptables', {
      decision:
        matched.length === 0
          ? 'no rule and no policy counted a packet'
          : 'rules and policies whose counters rose meanwhile (packets before -> after; the answer passes here too)',
      rules: matched,
      see: command,
    })
  }

  function envelope(host: string, more: Omit<Step, 'leg' | 'actor' | 'topic'>): void {
    step(host, 'encapsulation', more)
  }

  function routeStep(host: string, lookup: Lookup, found: Found, decision: string, key?: string): void {
    step(host, 'route', {
      decision,
      ...(found.entry ? { entry: found.entry.entry, by: found.entry.by } : {}),
      see: see(host, `ip ${lookupWords(lookup)}`),
      ...(key === undefined ? {} : differing(host, 'routes', key)),
    })
  }

  function forwardingOff(host: string): never {
    return broken(
      host,
      'route',
      {
        what: 'sysctl',
        ...planned(host, 'sysctls', 'net/ipv4/ip_forward'),
        text: `${host} does not forward: net.ipv4.ip_forward is 0`,
      },
      { see: see(host, 'sysctl net.ipv4.ip_forward') },
    )
  }

  function stop(
    host: string,
    topic: Topic,
    lookup: Lookup,
    found: Found,
    fault: Omit<Fault, 'host' | 'remedy'> & { readonly remedy?: string },
  ): never {
    return broken(
      lookup.pod ?? host,
      topic,
      { host, ...fault },
      {
        ...(found.entry ? { entry: found.entry.entry, by: found.entry.by } : {}),
        see: see(lookup.pod ?? host, `ip ${lookupWords(lookup)}`),
      },
    )
  }

  function broken(
    actor: string,
    topic: Topic,
    fault: Omit<Fault, 'remedy' | 'host'> & { readonly remedy?: string; readonly host?: string },
    more: Partial<Step> = {},
  ): never {
    const host = fault.host ?? actor
    const remedy =
      fault.remedy ??
      (fault.table === undefined
        ? 'the inventory plans nothing of the kind: `npx overlab inventory list`'
        : `put there by overlab: ${restores}`)
    step(actor, topic, { decision: 'the packet goes no further', ...more, fault: { ...fault, host, remedy } })
    throw new Stopped()
  }

  function step(actor: string, topic: Topic, more: Omit<Step, 'leg' | 'actor' | 'topic'>): void {
    steps.push({ leg, actor, topic, ...more })
  }

  function view(host: string): HostView {
    const seen = observed.views[host]
    if (seen) return seen
    return broken(host, 'not known', {
      what: 'answer',
      text: `${host} could not be asked: ${observed.failures[host] ?? 'it said nothing'}`,
      remedy: 'npx overlab up boots a machine that is down',
    })
  }

  /** The table and key of something that the plan has; nothing where it has not. */
  function planned(host: string, table: TableName, key: string): { table?: TableName; key?: string } {
    return plan.hosts[host]?.state[table]?.[key] === undefined ? {} : { table, key }
  }

  /** The key of the bridge's address, by which the host has its pods' subnet. */
  function gatewayKey(host: string): string {
    const { gateway, subnet } = plan.hosts[host]!
    return `${gateway}/${subnet.split('/')[1]} dev ${bridge}`
  }

  function plannedFilter(host: string): { table?: TableName; key?: string } {
    return planned(host, 'filters', `${plan.hosts[host]!.nic} ingress`)
  }

  function differing(host: string, table: TableName, key: string): { differs?: string } {
    const change = observed.views[host]?.drift.find((one) => one.table === table && one.key === key)
    if (change?.op !== 'change') return {}
    return { differs: `the plan says: ${change.to}; the host has: ${change.from}; ${restores}` }
  }

  /** A pod's own entries have no owner's mark; its namespace is overlab's. */
  function inPod(host: string, pod: string, otherwise: string): string {
    const changed = observed.views[host]?.drift.some(({ table, key }) => table === 'pods' && key === pod)
    return plan.hosts[host]?.state.pods?.[pod] !== undefined && !changed ? 'overlab, with the pod' : otherwise
  }

  function isOwn(host: string, address: string): boolean {
    return (
      address === plan.hosts[host]!.address ||
      contains(toBlock(plan.hosts[host]!.subnet), toNumber(address as Ip))
    )
  }

  /** The packet's headers on the host's NIC, from a capture. */
  function headers(host: string): { packet?: Sighting['layers']; notCaptured?: string } {
    const seen = view(host)
    const { nic } = plan.hosts[host]!
    const found = seen.sightings.find(
      (one) => one.link === nic && one.out === undefined && one.message === message,
    )
    if (found) return { packet: found.layers }
    return { notCaptured: seen.notCaptured ?? `the capture on ${nic} saw no such packet` }
  }

  function sighted(host: string, link: string, out: boolean): { notCaptured?: string } {
    const seen = view(host)
    if (seen.sightings.some((one) => one.link === link && one.out === out && one.message === message))
      return {}
    return { notCaptured: seen.notCaptured ?? `the capture on ${link} saw no such packet` }
  }

  /** What a masquerading rule made of the source, by the packet that left. */
  function seenSource(host: string, dev: string): string | undefined {
    const seen = view(host).sightings.find(
      (one) =>
        one.message === message &&
        one.out === true &&
        (one.link === dev || one.link === plan.hosts[host]!.nic),
    )
    return innerSource(seen)
  }

  function captureWords(): string {
    const backend = plan.lab.overlay.Backend
    return backend.Type === 'host-gw' ? 'icmp' : `"icmp or udp port ${backend.Port}"`
  }
}

export function innerSource(seen: Sighting | undefined): string | undefined {
  return seen?.layers.findLast(({ protocol }) => protocol === 'ipv4')?.fields['source'] as string | undefined
}

interface Way {
  readonly kind: 'vxlan' | 'bpf' | 'tun' | 'plain' | 'bridge' | 'local'
  readonly dev: string
  readonly via?: string
}

function wayOf(seen: HostView, { entry, result }: Found): Way {
  const dev = devOf(entry)
  const gateway = entry?.detail['gateway']
  const via = gateway === undefined ? {} : { via: String(gateway) }
  if (entry?.detail['type'] === 'local' || result?.['type'] === 'local') return { kind: 'local', dev }
  if (dev === bridge) return { kind: 'bridge', dev }
  if (entry?.detail['encap'] === 'bpf') return { kind: 'bpf', dev, ...via }
  const kind = ((linkNamed(seen, dev)?.detail['linkinfo'] ?? {}) as Entry)['info_kind']
  return { kind: kind === 'vxlan' ? 'vxlan' : kind === 'tun' ? 'tun' : 'plain', dev, ...via }
}

function decisionOf({ kind, dev, via }: Way): string {
  switch (kind) {
    case 'vxlan':
      return `to ${via ?? 'the destination'}, the VTEP behind ${dev}`
    case 'bpf':
      return `by the program ${encapProgram} of the route, then by ${dev}`
    case 'tun':
      return `to the process that holds ${dev}`
    case 'plain':
      return `${via ? `to ${via} ` : 'straight '}by ${dev}`
    case 'bridge':
      return `on this host, by ${dev}`
    case 'local':
      return 'the host itself'
  }
}

function instead({ entry, error }: Found): string {
  return entry ? `the packet takes "${entry.entry}" instead` : `the kernel says ${error ?? 'nothing'}`
}

function neighbour(all: readonly Holding[], address: string, dev: string): Holding | undefined {
  return all.find(({ detail }) => detail['dst'] === address && detail['dev'] === dev)
}

/** Undefined where the entry is of no use: asked for and not answered. */
function macOf(entry: Holding | undefined): string | undefined {
  const states = (entry?.detail['state'] ?? []) as readonly string[]
  if (states.includes('FAILED') || states.includes('INCOMPLETE')) return undefined
  const mac = entry?.detail['lladdr']
  return typeof mac === 'string' ? mac : undefined
}

function isPermanent({ detail }: Holding): boolean {
  return ((detail['state'] ?? []) as readonly string[]).includes('PERMANENT')
}

function bridgeEntry(seen: HostView, mac: string): Holding | undefined {
  return seen.fdb.find(({ detail }) => detail['mac'] === mac && detail['master'] === bridge)
}

function linkNamed(seen: HostView, name: string): Holding | undefined {
  return seen.links.find(({ detail }) => detail['ifname'] === name)
}

function isUp({ detail }: Holding): boolean {
  return ((detail['flags'] ?? []) as readonly string[]).includes('UP')
}

function dataOf(link: Holding, field: string): string {
  const data = ((link.detail['linkinfo'] ?? {}) as Entry)['info_data'] as Entry | undefined
  return String(data?.[field] ?? '?')
}

function devOf(entry: Holding | undefined): string {
  return String(entry?.detail['dev'] ?? '')
}

function prefixOf({ detail }: Holding): string {
  const to = String(detail['dst'])
  return to === 'default' ? '0.0.0.0/0' : to.includes('/') ? to : `${to}/32`
}

function plannedRoute({ state }: PlannedHost, address: string): string | undefined {
  return longest(Object.entries(state.routes ?? {}), address)?.[0]
}

function plannedPeer({ state }: PlannedHost, address: string): string | undefined {
  return longest(Object.entries(state.peers ?? {}), address)?.[0]
}

/** The entry with the longest prefix that holds the address, as the kernel chooses. */
function longest(
  entries: readonly (readonly [string, string])[],
  address: string,
): readonly [string, string] | undefined {
  return entries
    .filter(([prefix]) => contains(toBlock(prefix as Cidr), toNumber(address as Ip)))
    .toSorted(([a], [b]) => toBlock(b as Cidr).length - toBlock(a as Cidr).length)[0]
}

function counted(counts: HostView['counts'], counter: keyof HostView['counts']): string {
  const rise = counts[counter]
  return rise === undefined ? '' : ` (its counter "${counter}" rose by ${rise})`
}

function ruleOwner({ table, chain, rule }: Rule, host: string): string {
  if (rule.startsWith('policy ')) return "a policy; ACCEPT is the kernel's own"
  return parseHoldings('iptables', `*${table}\n-A ${chain} ${rule}\n`, host)[0]?.by ?? 'others'
}

function see(where: string, command: string): string {
  return `npx overlab exec ${where} -- ${command}`
}
