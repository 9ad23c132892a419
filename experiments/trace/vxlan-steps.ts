/** vxlan: neighbour, FDB entry, device; and at the far end the device again. */
import { broken, differing, planned, restores, see, step, view, type Course } from './course.ts'
import { dataOf, isUp, linkNamed, macOf, neighbour, type Way } from './kernel.ts'

export function wrapVxlan(c: Course, host: string, way: Way): string {
  const { plan, to, destination } = c
  const seen = view(c, host)
  const link = linkNamed(seen, way.dev)!
  if (!isUp(link))
    broken(c, host, 'encapsulation', {
      what: 'link',
      ...planned(c, host, 'links', way.dev),
      text: `${host}'s ${way.dev} is down`,
    })
  const nextHop = way.via ?? destination
  const entry = neighbour(seen.neighbours, nextHop, way.dev)
  const mac = macOf(entry)
  if (mac === undefined)
    broken(
      c,
      host,
      'neighbour',
      {
        what: 'neighbour entry',
        ...planned(c, host, 'neighbours', `${nextHop} dev ${way.dev}`),
        text: `${host} has no neighbour ${nextHop} on ${way.dev}: it does not know that VTEP's MAC, and nobody answers ARP there`,
      },
      { ...(entry ? { entry: entry.entry } : {}), see: see(host, `ip neigh show dev ${way.dev}`) },
    )
  step(c, host, 'neighbour', {
    decision: `${nextHop} (${to.host}'s ${way.dev}) has the MAC ${mac}; nobody is asked`,
    entry: entry!.entry,
    by: entry!.by,
    see: see(host, `ip neigh show dev ${way.dev}`),
    ...differing(c, host, 'neighbours', `${nextHop} dev ${way.dev}`),
  })
  c.innerMac = mac
  const fdb =
    seen.fdb.find(
      ({ detail }) => detail['mac'] === mac && detail['ifname'] === way.dev && detail['dst'] !== undefined,
    ) ??
    // The default entry, to which a device that floods sends what it does not know.
    seen.fdb.find(({ detail }) => detail['mac'] === '00:00:00:00:00:00' && detail['ifname'] === way.dev)
  if (!fdb)
    broken(
      c,
      host,
      'FDB entry',
      {
        what: 'FDB entry',
        ...planned(c, host, 'fdb', `${mac} dev ${way.dev}`),
        text: `${host} has no FDB entry for ${mac}: the packet leaves ${way.dev} to nobody`,
      },
      { see: see(host, `bridge fdb show dev ${way.dev}`) },
    )
  const outer = String(fdb.detail['dst'])
  const wanted = to.host && plan.hosts[to.host]!.address
  step(c, host, 'FDB entry', {
    decision: `${mac} is behind the host ${outer}`,
    entry: fdb.entry,
    by: fdb.by,
    see: see(host, `bridge fdb show dev ${way.dev}`),
    ...(wanted !== undefined && outer !== wanted
      ? { differs: `${to.host} is ${wanted}, not ${outer}; ${restores()}` }
      : differing(c, host, 'fdb', `${mac} dev ${way.dev}`)),
  })
  step(c, host, 'encapsulation', {
    decision: `${way.dev} puts the frame into UDP: from ${dataOf(link, 'local')} to ${outer}, port ${dataOf(link, 'port')}, VNI ${dataOf(link, 'id')}`,
    entry: link.entry,
    by: link.by,
    see: see(host, `ip -d link show ${way.dev}`),
    ...differing(c, host, 'links', way.dev),
  })
  return outer
}

/** Returns the device by which the frame inside comes to the host. */
export function unwrapVxlan(c: Course, host: string): string {
  const { plan, from } = c
  const seen = view(c, host)
  const device = plan.hosts[host]!.vtep?.name ?? ''
  const link = linkNamed(seen, device)
  if (!link || !isUp(link))
    broken(
      c,
      host,
      'decapsulation',
      {
        what: 'link',
        ...planned(c, host, 'links', device),
        text: link
          ? `${host}'s ${device} is down`
          : `${host} has no link ${device}: nobody takes the packet out of its envelope`,
      },
      { see: see(host, `ip -d link show ${device}`) },
    )
  const mac = String(link.detail['address'])
  if (c.innerMac !== undefined && c.innerMac !== mac)
    broken(
      c,
      host,
      'decapsulation',
      {
        what: 'MAC',
        ...(plan.hosts[host]!.vtep?.mac === mac
          ? planned(
              c,
              plan.hosts[from.host!]!.name,
              'neighbours',
              `${plan.hosts[host]!.vtep?.address} dev ${device}`,
            )
          : planned(c, host, 'links', device)),
        text: `the frame inside is for ${c.innerMac}, but ${host}'s ${device} has the MAC ${mac}: it does not take the frame`,
      },
      { entry: link.entry, by: link.by, see: see(host, `ip -d link show ${device}`) },
    )
  step(c, host, 'decapsulation', {
    decision: `port ${dataOf(link, 'port')} with VNI ${dataOf(link, 'id')} is ${device}'s: the frame in it comes in by ${device}, to its MAC ${String(link.detail['address'])}`,
    entry: link.entry,
    by: link.by,
    see: see(host, `ip -d link show ${device}`),
    ...differing(c, host, 'links', device),
  })
  return device
}
