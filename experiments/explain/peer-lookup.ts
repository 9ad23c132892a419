/** Question 2: the entries by which a host finds another host's pods, and what each is for. */
import { contains, toBlock, toNumber } from '../../inventory/ipv4.ts'
import type { Cidr, Ip } from '../../inventory/values.ts'
import { peerDelete, peerUpdate } from '../../modules/bpf/maps.ts'
import { readEntries, textOf, type Entry } from '../../modules/json.ts'
import { tun } from '../trace/lookups.ts'
import { borrow } from './borrow.ts'
import { claim, type Claim } from './claim.ts'
import { inEachBackend, type Found } from './labs.ts'
import { isLost, isWhole, ping, words, type Loss } from './loss.ts'
import { CannotMeasure, Disturbed, isNotMeasured, measured, undisturbed, type Measured } from './measured.ts'
import type { Notes } from './notes.ts'
import { showPeers } from './peers.ts'
import { question } from './question.ts'
import { placesOf, type Place, type Places, type Site } from './site.ts'

/** What was lost while one entry was away: to the host that it names, and to a third one. */
export interface Away {
  readonly what: string
  readonly entry: string
  readonly far: Loss
  /** Undefined where only two hosts have pods. */
  readonly other?: Loss
  readonly afterwards: Loss
}

export interface Lookup {
  readonly near: string
  readonly far: string
  /** Each entry with its own experiment. */
  readonly entries: readonly Measured<Away>[]
  /** ARP requests for a pod's address that left by the NIC, bare or in an envelope, and those for a host's. */
  readonly asked: Measured<{ readonly pods: number; readonly hosts: number; readonly pings: Loss }>
}

export const peerLookup = question<readonly Found<Lookup>[]>({
  number: 2,
  question: 'How is the target host found for a pod elsewhere?',
  answer:
    "By entries that are in the sending host's kernel beforehand: vxlan has a route, a neighbour and an FDB entry for each peer, host-gw a route, udp one route and a row of a table of peers; nobody is asked.",
  experiment:
    'Each entry is taken away in turn: traffic stops to that one host, and comes back with the entry; on the wire nobody asks for a pod, which rules out ARP over the underlay, flooding, learning and a lookup elsewhere.',
  gather: (labs, notes) => inEachBackend(labs, (site) => lookupIn(site, notes)),
  claims: claimsOfLookup,
})

/** One entry of the sending host: how it is shown, taken away and put back. */
export interface PeerEntry {
  readonly what: string
  readonly entry: string
  readonly take: string
  readonly back: string
  /** Prints it where it is there, and nothing where it is not. */
  readonly find: string
}

async function lookupIn(site: Site, notes: Notes): Promise<Lookup> {
  const places = placesOf(site)
  const { near, far } = places
  notes.begin(
    site,
    'evidence',
    `What ${near.host.name} has for ${far.pod.name} (${far.pod.address}, on ${far.host.name})`,
  )
  const entries = await entriesOf(site, notes, near, far)
  const asked = await measured(() => questionsOnTheWire(site, notes, places), site.signal)
  const away: Measured<Away>[] = []
  for (const entry of entries)
    away.push(await measured(() => undisturbed(() => without(site, notes, places, entry)), site.signal))
  return { near: near.host.name, far: far.host.name, entries: away, asked }
}

/** As the kernel chose them, in the order in which a packet meets them. */
export async function entriesOf(site: Site, notes: Notes, near: Place, far: Place): Promise<PeerEntry[]> {
  const { name, nic, vtep } = near.host
  const address = far.pod.address
  await notes.run(name, `ip route get ${address} from ${near.pod.address} iif cni0`)
  const [found] = await readJson(
    notes,
    name,
    `ip -j -d route get fibmatch ${address} from ${near.pod.address} iif cni0`,
  )
  if (!found) throw new CannotMeasure(`${name} has no route to ${address}`)
  const prefix = textOf(found, 'dst')
  const [via, dev] = [textOf(found, 'gateway'), textOf(found, 'dev')]
  if (textOf(found, 'encap') === 'bpf') {
    await notes.run(name, `ip route show ${prefix}`)
    await showPeers(site, notes, near.host)
    return [peerOf(far)]
  }
  // flanneld's; a datapath of the kernel's that has a device of this name names each peer's host in its route.
  if (dev === tun && via === '') {
    await notes.run(name, `ip route show ${prefix}`)
    await notes.run(name, 'ip -d tuntap show')
    throw new CannotMeasure(
      `the peers are in the process that holds ${tun}, and it has no way to take one out`,
    )
  }
  const route = await notes.run(name, `ip -d route show ${prefix}`)
  const words = route.output.trim().split('\n')[0]!.trim()
  const entries = [
    {
      what: 'route',
      entry: words,
      take: `ip route del ${words}`,
      back: `ip route replace ${words}`,
      find: `ip route show ${prefix}`,
    },
  ]
  if (dev !== vtep?.name) {
    await notes.run(name, `ip neigh show ${via} dev ${nic}`)
    return entries
  }
  return [...entries, await neighbourOf(notes, name, via, dev), await fdbOf(notes, name, via, dev)]
}

async function neighbourOf(notes: Notes, host: string, via: string, dev: string): Promise<PeerEntry> {
  const { output } = await notes.run(host, `ip neigh show ${via} dev ${dev}`)
  const [found] = await readJson(notes, host, `ip -j neigh show ${via} dev ${dev}`)
  const owner = found && textOf(found, 'protocol')
  return {
    what: 'neighbour',
    entry: output.trim(),
    take: `ip neigh del ${via} dev ${dev}`,
    back: `ip neigh replace ${via} lladdr ${found ? textOf(found, 'lladdr') : '?'} dev ${dev} nud permanent${owner ? ` protocol ${owner}` : ''}`,
    find: `ip neigh show ${via} dev ${dev} nud permanent`,
  }
}

async function fdbOf(notes: Notes, host: string, via: string, dev: string): Promise<PeerEntry> {
  const [neighbour] = await readJson(notes, host, `ip -j neigh show ${via} dev ${dev}`)
  const mac = neighbour ? textOf(neighbour, 'lladdr') : '?'
  const { output } = await notes.run(host, `bridge fdb show dev ${dev}`, { keep: new RegExp(`^${mac} `) })
  const words = output
    .split('\n')
    .find((line) => line.startsWith(`${mac} `))
    ?.trim()
  if (!words) throw new CannotMeasure(`${host} has no FDB entry for ${mac}`)
  const dst = / dst (\S+)/.exec(words)?.[1]
  return {
    what: 'FDB entry',
    entry: words,
    take: `bridge fdb del ${mac} dev ${dev} dst ${dst} self`,
    back: `bridge fdb replace ${mac} dev ${dev} dst ${dst} self permanent`,
    find: `bridge fdb show dev ${dev} | grep '^${mac} ' || :`,
  }
}

function peerOf({ host: { subnet, address } }: Place): PeerEntry {
  return {
    what: 'row of the table of peers',
    entry: `${subnet} ${address}`,
    take: `bpftool ${peerDelete(subnet)}`,
    back: `bpftool ${peerUpdate(subnet, address)}`,
    // Nobody but overlab writes it.
    find: ':',
  }
}

async function without(
  site: Site,
  notes: Notes,
  { near, far, other }: Places,
  { what, entry, take, back, find }: PeerEntry,
): Promise<Away> {
  notes.begin(site, 'experiment', `${near.host.name} without its ${what} for ${far.host.name}`)
  const { name } = near.host
  const during = await borrow(notes, { host: name, take, back }, async () => {
    const losses = {
      far: await ping(notes, near.pod.name, far.pod.address),
      ...(other ? { other: await ping(notes, near.pod.name, other.pod.address) } : {}),
    }
    const { output } = await notes.quietly(name, find)
    if (output.trim() !== '')
      throw new Disturbed(`${name}: somebody put the ${what} back meanwhile; flanneld does`)
    return losses
  })
  return { what, entry, ...during, afterwards: await ping(notes, near.pod.name, far.pod.address) }
}

/** What the NIC carries of questions while a pod's packets go, the hosts' own ARP forgotten before. */
async function questionsOnTheWire(site: Site, notes: Notes, { near, far }: Places) {
  const { name, nic } = near.host
  notes.begin(
    site,
    'experiment',
    `Who is asked while ${near.pod.name} pings ${far.pod.name}, ARP forgotten before`,
  )
  const backend = site.plan.lab.overlay.Backend
  // UDP 8 + VXLAN 8 + two MACs 12: the inner frame's type is ARP.
  const inside = backend.Type === 'vxlan' ? ` or (udp dst port ${backend.Port} and udp[28:2] = 0x0806)` : ''
  let pings: Loss | undefined
  const lines = await notes.captured(name, nic, `arp${inside}`, async () => {
    await notes.run(name, `ip neigh flush dev ${nic}`)
    pings = await ping(notes, near.pod.name, far.pod.address)
  })
  return { ...questionsIn(lines, site.plan.lab.overlay.Network), pings: pings! }
}

/** Pure. Of tcpdump's lines the ARP requests: whose addresses are asked for. */
export function questionsIn(lines: readonly string[], network: string): { pods: number; hosts: number } {
  const asked = lines.flatMap((line) => /Request who-has ([\d.]+)/.exec(line)?.[1] ?? [])
  const pods = asked.filter((address) => contains(toBlock(network as Cidr), toNumber(address as Ip))).length
  return { pods, hosts: asked.length - pods }
}

async function readJson(notes: Notes, host: string, command: string): Promise<Entry[]> {
  const { output } = await notes.quietly(host, command)
  return output.trim().startsWith('[') ? readEntries(output, command) : []
}

export function claimsOfLookup(all: readonly Found<Lookup>[]): Claim[] {
  return all.flatMap(({ lab, found }) => {
    if (isNotMeasured(found)) return [{ claim: `${lab}: which entries find the host`, ...found }]
    const { near, far, entries, asked } = found
    return [
      ...entries.map((entry) =>
        claim(
          `${lab}: without ${isNotMeasured(entry) ? 'an entry' : `its ${entry.what}`} for ${far}, ${near} reaches ${far}'s pods no more, and others as before`,
          entry,
          ofAway,
        ),
      ),
      claim(
        `${lab}: nobody on the wire is asked for a pod; only hosts ask for each other's MAC`,
        asked,
        (of) => [
          of.pods === 0 && isWhole(of.pings),
          `ARP requests: ${of.pods} for pods, ${of.hosts} for hosts; ${words(of.pings)}`,
        ],
      ),
    ]
  })
}

function ofAway({ far, other, afterwards }: Away): readonly [boolean, string] {
  return [
    isLost(far) && (other === undefined || isWhole(other)) && isWhole(afterwards),
    [
      `without it ${words(far)}`,
      other ? `to another host ${words(other)}` : 'there is no third host to compare with',
      `with it again ${words(afterwards)}`,
    ].join('; '),
  ]
}
