/** udp: peers, settings and filter of the datapath bpf; the device of the datapath fou; flanneld's own TUN device. */
import { textOf, entryOf } from '../../modules/json.ts'
import type { Holding } from '../kinds.ts'
import {
  broken,
  differing,
  planned,
  plannedFilter,
  restores,
  see,
  step,
  view,
  type Course,
} from './course.ts'
import { counted, isUp, linkNamed, longest, plannedPeer, type Way } from './kernel.ts'
import { tun } from './lookups.ts'
import { overlabCommand } from '../../tools/command-line.ts'

export function wrapBpf(c: Course, host: string): string {
  const { plan, to, destination } = c
  const { peers, config, counts } = view(c, host)
  const peer = longest(peers ?? [], destination)
  const key = plannedPeer(plan.hosts[host]!, destination)
  if (!peer)
    broken(
      c,
      host,
      'peer',
      {
        what: 'peer',
        ...(key ? planned(c, host, 'peers', key) : {}),
        text: `${host} has no peer for ${key ?? destination}: its program knows no host for it and drops the packet${counted(counts, 'no peer')}`,
      },
      { see: see(host, 'bpftool map dump pinned /run/overlab-bpf/overlab_peers') },
    )
  const wanted = to.host && plan.hosts[to.host]!.address
  step(c, host, 'peer', {
    decision: `${peer[0]} is behind the host ${peer[1]}`,
    entry: `overlab_peers: ${peer[0]} -> ${peer[1]}`,
    // The map is overlab's own (modules/peer.ts).
    by: 'overlab',
    see: see(host, 'bpftool map dump pinned /run/overlab-bpf/overlab_peers'),
    ...(wanted !== undefined && peer[1] !== wanted
      ? { differs: `${to.host} is ${wanted}, not ${peer[1]}; ${restores()}` }
      : differing(c, host, 'peers', peer[0])),
  })
  if (!config)
    broken(c, host, 'encapsulation', {
      what: 'datapath settings',
      ...plannedFilter(c, host),
      text: `${host}'s program has no settings (overlab_config): it drops the packet${counted(counts, 'not configured')}`,
    })
  step(c, host, 'encapsulation', {
    decision: `the program of the route puts the packet into UDP: from ${config.local} to ${peer[1]}, port ${config.port}${counted(counts, 'encapsulated')}`,
    entry: `overlab_config: local ${config.local} subnet ${config.subnet} port ${config.port}`,
    by: 'overlab',
    see: see(host, 'bpftool map dump pinned /run/overlab-bpf/overlab_config'),
  })
  return peer[1]
}

/** The route's next hop is where the datagram goes. */
export function wrapFou(c: Course, host: string, way: Way): string | undefined {
  const link = fouDevice(c, host, 'encapsulation', 'nobody wraps the packet')
  const { sport, dport, type } = encapOf(link)
  step(c, host, 'encapsulation', {
    decision: `${tun} puts the packet into UDP: to ${way.via ?? '?'}, port ${dport}`,
    entry: link.entry,
    by: link.by,
    see: see(host, `ip -d link show ${tun}`),
    ...(type === 'fou' && sport === dport
      ? differing(c, host, 'links', tun)
      : { differs: `${tun} does not wrap by FOU: what it sends is no packet of udp's; ${restores()}` }),
  })
  return way.via
}

/** Returns the device by which the inner packet comes to the host's IP. */
export function unwrapFou(c: Course, host: string): string {
  const link = fouDevice(c, host, 'decapsulation', 'nobody takes the packet out of its envelope')
  step(c, host, 'decapsulation', {
    decision: `what comes to the FOU port ${encapOf(link).dport} is an IPv4 packet in an IPv4 packet, and ${tun}'s: it comes in there`,
    entry: link.entry,
    by: link.by,
    see: see(host, 'ip fou show'),
    ...differing(c, host, 'links', tun),
  })
  return tun
}

function fouDevice(c: Course, host: string, place: 'encapsulation' | 'decapsulation', so: string): Holding {
  const link = linkNamed(view(c, host), tun)
  if (link && isUp(link)) return link
  const text = link ? `${host}'s ${tun} is down: ${so}` : `${host} has no link ${tun}: ${so}`
  return broken(c, host, place, { what: 'link', ...planned(c, host, 'links', tun), text })
}

function encapOf({ detail }: Holding): { type: string; sport: string; dport: string } {
  const data = entryOf(entryOf(detail, 'linkinfo') ?? {}, 'info_data')
  const encap = entryOf(data ?? {}, 'encap') ?? {}
  return { type: textOf(encap, 'type'), sport: textOf(encap, 'sport'), dport: textOf(encap, 'dport') }
}

export function wrapTun(c: Course, host: string): string | undefined {
  const { plan, to } = c
  const holders = view(c, host).tunnels[tun] ?? []
  if (holders.length === 0)
    broken(c, host, 'encapsulation', {
      what: 'process',
      ...(plan.hosts[host]!.control === 'flanneld' && {
        remedy: `flanneld did: \`${overlabCommand('up')}\` starts it again`,
      }),
      text: `no process on ${host} reads ${tun}: the packet is handed to nobody`,
    })
  step(c, host, 'encapsulation', {
    decision: `${tun} hands the packet to the process ${holders.join(', ')}, which puts it into UDP`,
    entry: `${tun} tun`,
    by: holders.join(', '),
    see: see(host, 'ip -d tuntap show'),
  })
  return to.host && plan.hosts[to.host]!.address
}

export function unwrapBpf(c: Course, host: string, inner: string): void {
  const { plan, from } = c
  const { filters, config, peers, counts } = view(c, host)
  const { nic } = plan.hosts[host]!
  const command = see(host, `tc filter show dev ${nic} ingress`)
  const ours = filters.find((filter) =>
    textOf(entryOf(filter, 'options') ?? {}, 'bpf_name').startsWith('overlab-udp-'),
  )
  if (!ours || !config)
    broken(
      c,
      host,
      'decapsulation',
      {
        what: ours ? 'datapath settings' : 'tc filter',
        ...plannedFilter(c, host),
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
      c,
      host,
      'decapsulation',
      {
        what: 'peer',
        ...(key ? planned(c, host, 'peers', key) : {}),
        text: `${host} has no peer for ${key ?? inner} (${from.host}): its filter takes no packet of ${inner} from ${sender}${counted(counts, 'source invalid')}`,
      },
      { see: see(host, 'bpftool map dump pinned /run/overlab-bpf/overlab_peers') },
    )
  }
  const bad = (['payload invalid', 'destination other', 'decapsulation failed'] as const).find(
    (reason) => counts[reason],
  )
  step(c, host, 'decapsulation', {
    decision: `the filter takes what comes to ${config.local} port ${config.port} out of its envelope, if its sender may send it${counted(counts, 'decapsulated')}`,
    entry: `${nic} ingress pref ${String(ours['pref'])} bpf ${textOf(entryOf(ours, 'options') ?? {}, 'bpf_name').replace(/:.*/, '')}`,
    // By its preference and its pin's name (modules/filter.ts).
    by: 'overlab',
    see: command,
    ...(bad
      ? { differs: `the filter dropped packets meanwhile${counted(counts, bad)}` }
      : differing(c, host, 'filters', `${nic} ingress`)),
  })
}
