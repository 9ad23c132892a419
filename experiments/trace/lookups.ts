/** Which routes a packet and its answer will need, before anything is known of them: the questions of `ip route get`. */
import type { LabPlan, PlannedHost } from '../../overlay/plan.ts'
import { bridge } from '../../overlay/pods.ts'
import { firstOf } from '../../overlay/subnet.ts'
import type { End } from './endpoint.ts'
import { lookupKey, type Lookup } from './script.ts'

/** From where a packet can come to a host that did not send it: the backend's device, the NIC. */
export function arrivals({ nic, vtep }: PlannedHost): string[] {
  return [...(vtep ? [vtep.name] : []), nic, tun]
}

/** The udp backend's device: flanneld's TUN device, or that of the datapath fou. */
export const tun = 'flannel0'

/** All that one host must be asked; some answers will not be needed. */
export function lookupsOf(plan: LabPlan, host: PlannedHost, from: End, to: End): Lookup[] {
  const wanted = [...legLookups(plan, host, from, to), ...legLookups(plan, host, to, from)]
  return [...new Map(wanted.map((lookup) => [lookupKey(lookup), lookup])).values()]
}

function legLookups(plan: LabPlan, host: PlannedHost, from: End, to: End): Lookup[] {
  const isHere = (end: End): boolean => end.host === host.name
  // What answers a packet is sent to the address that the packet had when it arrived.
  const destinations = sourcesOf(plan, to)
  if (isHere(from)) {
    const peer = to.host && plan.hosts[to.host]!.address
    return [
      ...destinations.flatMap((one): Lookup[] =>
        from.kind === 'pod'
          ? [
              { pod: from.name, to: one },
              { to: one, from: from.address, iif: bridge },
            ]
          : [{ to: one }],
      ),
      ...(peer ? [{ to: peer }] : []),
    ]
  }
  if (!isHere(to)) return []
  const own = to.kind === 'host' ? destinations : [to.address]
  return own.flatMap((one) =>
    arrivals(host).flatMap((iif) => sourcesOf(plan, from).map((source) => ({ to: one, from: source, iif }))),
  )
}

/** The addresses that a packet of this end can carry: its own, its host's (masqueraded), and of a host those on its devices. */
export function sourcesOf(plan: LabPlan, from: End): string[] {
  const host = from.host && plan.hosts[from.host]
  if (!host) return [from.address]
  const own = from.kind === 'host' ? [host.gateway, firstOf(host.subnet)] : []
  return [...new Set([from.address, host.address, ...own])]
}
