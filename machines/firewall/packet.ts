/** A packet as a firewall's rules see it, and whether a rule's words fit it: yes, no, or not to be said. Pure. */
import { contains, overlap, toBlock, toNumber } from '../../inventory/ipv4.ts'
import { cidr, type Cidr, type Ip } from '../../inventory/values.ts'

/** Of a new connection. */
export interface Packet {
  readonly hook: 'input' | 'forward'
  /** The link by which it comes in, and the one by which it leaves. */
  readonly in: string
  readonly out?: string
  /** Every address of these is meant. */
  readonly source: Cidr
  readonly destination: Cidr
  readonly protocol: 'udp' | 'tcp' | 'icmp'
  /** The destination's; ICMP has none: 0. */
  readonly port: number
}

/** `maybe`: it fits some of the packets that are meant, or these words are not understood. */
export type Fit = 'yes' | 'no' | 'maybe'

/** What becomes of the packet. `blocked`: for certain, and by which rule. `maybe`: some rule may let it pass. */
export type Outcome =
  { readonly kind: 'through' | 'accepted' | 'maybe' } | { readonly kind: 'blocked'; readonly by: string }

export const through: Outcome = { kind: 'through' }
export const accepted: Outcome = { kind: 'accepted' }
export const unsure: Outcome = { kind: 'maybe' }

export function not(fit: Fit): Fit {
  return fit === 'maybe' ? fit : fit === 'yes' ? 'no' : 'yes'
}

export function all(fits: readonly Fit[]): Fit {
  return fits.includes('no') ? 'no' : fits.includes('maybe') ? 'maybe' : 'yes'
}

export function some(fits: readonly Fit[]): Fit {
  return fits.includes('yes') ? 'yes' : fits.includes('maybe') ? 'maybe' : 'no'
}

/** `10.0.0.0/8`, or one address. */
export function fitsPrefix(addresses: Cidr, prefix: string): Fit {
  const checked = cidr.safeParse(prefix.includes('/') ? prefix : `${prefix}/32`)
  if (!checked.success) return 'maybe'
  const [wide, meant] = [toBlock(checked.data), toBlock(addresses)]
  if (!overlap(wide, meant)) return 'no'
  return wide.length <= meant.length && contains(wide, toNumber(addressOf(addresses))) ? 'yes' : 'maybe'
}

/** `eth0`, or `eth+` of iptables, `eth*` of nft. */
export function fitsLink(link: string | undefined, name: string): Fit {
  if (link === undefined) return 'no'
  const pattern = /^(.*)[+*]$/.exec(name)
  return (pattern ? link.startsWith(pattern[1]!) : link === name) ? 'yes' : 'no'
}

const numbers: Readonly<Record<string, string>> = { '6': 'tcp', '17': 'udp', '1': 'icmp' }

export function fitsProtocol(packet: Packet, name: string): Fit {
  return (numbers[name] ?? name) === packet.protocol || name === 'all' || name === '0' ? 'yes' : 'no'
}

/** States of connection tracking, in any letters: the packet is the first one of its connection. */
export function fitsState(names: readonly string[]): Fit {
  return names.some((name) => name.toLowerCase() === 'new') ? 'yes' : 'no'
}

/** `8472`, `1000:2000` of iptables, `1000-2000`. */
export function fitsPort(port: number, range: string): Fit {
  const found = /^(\d*)(?:[:-](\d*))?$/.exec(range)
  if (!found || range === '') return 'maybe'
  const [, from = '', to] = found
  const low = from === '' ? 0 : Number(from)
  const high = to === undefined ? low : to === '' ? 65535 : Number(to)
  return port >= low && port <= high ? 'yes' : 'no'
}

/** What a rule does with a packet that it fits; `returned` ends the chain, and the one that led here goes on. */
export type Deed = Outcome | { readonly kind: 'returned' }
export const returned: Deed = { kind: 'returned' }

/** One rule of a chain after the other. */
export function walk(rules: Iterable<{ readonly fit: Fit; readonly deed: () => Deed }>): Outcome {
  for (const { fit, deed } of rules) {
    if (fit === 'no') continue
    const done = deed()
    if (done.kind === 'through') continue
    if (fit === 'yes') return done.kind === 'returned' ? through : done
    // Some packets may be let through here; that others may be thrown away is nothing certain.
    if (done.kind !== 'blocked') return unsure
  }
  return through
}

function addressOf(prefix: Cidr): Ip {
  return prefix.split('/')[0] as Ip
}
