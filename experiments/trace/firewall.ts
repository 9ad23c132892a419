/** Where a host's own firewall ends the packet: a rule of iptables or of nftables, or the ICMP error that a host sent. */
import type { Cidr } from '../../inventory/values.ts'
import { obstacles, type Obstacle } from '../../machines/firewall/nft.ts'
import type { Packet } from '../../machines/firewall/packet.ts'
import type { PlannedHost } from '../../overlay/plan.ts'
import { bridge } from '../../overlay/pods.ts'
import { broken, see, view, type Course } from './course.ts'
import { kindOf, linkNamed, ruleOwner, type Way } from './kernel.ts'
import { tun } from './lookups.ts'
import { drops, type Rule } from './rules.ts'

/** How the packet passes a host: by which hook and links, from which address to which. */
export interface Passing {
  readonly hook: 'input' | 'forward'
  readonly in: string
  readonly out?: string
  readonly source: string
  readonly destination: string
  /** The UDP port of an envelope; none of the echo request itself. */
  readonly port?: number
}

/**
 * Ends the way where the host's firewall stops the packet.
 * @param isGone a capture saw it behind the firewall
 * @param drop the rule of iptables that ends packets, and whose counter rose
 */
export function firewall(
  c: Course,
  host: string,
  passing: Passing | undefined,
  isGone: boolean,
  drop: Rule | undefined,
): void {
  if (c.observed.sent.answered) return
  const refusal = refusalOf(c)
  const isRefused = refusal?.host === host && refusal.leg === c.leg
  // Who answered has got it.
  if (c.leg === 'there' && isAnswered(c)) return
  // A host that says that it was it; without one, what no capture saw behind the firewall.
  if (refusal ? !isRefused : isGone) return
  // Counters are read once, and answers of an open connection pass rules that stop a new one.
  if (c.leg === 'back' && !isRefused) return
  const [obstacle] = passing ? obstacles(view(c, host).ruleset, packetOf(passing)) : []
  const said = isRefused ? `; it sent an ICMP error of code ${refusal.code} from ${refusal.from}` : ''
  if (drop) byIptables(c, host, drop, said)
  if (obstacle) byNftables(c, host, obstacle, said)
  if (isRefused) unexplained(c, host, refusal)
}

/** An envelope before it is opened: the host's INPUT lets it in or not. tc's programs take it before that. */
export function admission(c: Course, host: string, kind: Way['kind']): void {
  const { plan, from, message } = c
  const seen = view(c, host)
  const { nic, address } = plan.hosts[host]!
  const backend = plan.lab.overlay.Backend
  const opened =
    kind === 'vxlan' || (kind !== 'plain' && ['ipip', 'tun'].includes(kindOf(linkNamed(seen, tun)) ?? ''))
  const peer = from.host === undefined ? undefined : plan.hosts[from.host]
  if (!opened || !peer || backend.Type === 'host-gw') return
  // What was opened has been let in.
  if (seen.sightings.some((one) => one.message === message && one.link !== nic)) return
  const drop = seen.rules.find((rule) => drops(rule) && rule.chain !== 'FORWARD')
  const envelope = { source: peer.address, destination: address, port: backend.Port }
  firewall(c, host, { ...envelope, hook: 'input', in: nic }, false, drop)
}

/** A pod's packet to its own host. */
export function toItself(c: Course, host: string, ends: Pick<Passing, 'source' | 'destination'>): void {
  const drop = view(c, host).rules.find((rule) => drops(rule) && rule.chain !== 'FORWARD')
  firewall(c, host, { ...ends, hook: 'input', in: bridge }, false, drop)
}

function packetOf({ source, destination, port, ...rest }: Passing): Packet {
  const one = (address: string) => `${address}/32` as Cidr
  const words =
    port === undefined ? ({ protocol: 'icmp', port: 0 } as const) : ({ protocol: 'udp', port } as const)
  return { ...rest, ...words, source: one(source), destination: one(destination) }
}

interface Refusal {
  readonly host: string
  readonly leg: Course['leg']
  readonly code: number
  readonly from: string
}

/** RFC 1812, 5.2.7.1: prohibited for a network, for a host, by an administrator. Nothing but a firewall sends these. */
const prohibited = [9, 10, 13]

/** Which host said by an ICMP error that its firewall stopped the packet, or its answer where one was seen. */
function refusalOf({ plan, observed }: Pick<Course, 'plan' | 'observed'>): Refusal | undefined {
  const all = Object.values(observed.views).flatMap(({ sightings }) => sightings)
  const leg = isAnswered({ observed }) ? 'back' : 'there'
  for (const { message, layers } of all) {
    if (message !== 'error') continue
    const { type, code } = layers.findLast(({ protocol }) => protocol === 'icmp')?.fields ?? {}
    const from = layers.findLast(({ protocol }) => protocol === 'ipv4')?.fields['source']
    if (type !== 'destination unreachable' || typeof code !== 'number' || !prohibited.includes(code)) continue
    const host = Object.values(plan.hosts).find((one) => addressesOf(one).includes(String(from)))
    if (host) return { host: host.name, leg, code, from: String(from) }
  }
  return undefined
}

/** A capture saw an answer, wherever that ended. */
function isAnswered({ observed }: Pick<Course, 'observed'>): boolean {
  return Object.values(observed.views).some(({ sightings }) =>
    sightings.some(({ message }) => message === 'reply'),
  )
}

/** In the underlay, on its bridge, and of its VTEP, which is the subnet's first one. */
function addressesOf({ address, gateway, subnet }: PlannedHost): string[] {
  return [address, gateway, subnet.split('/')[0]!]
}

function byIptables(c: Course, host: string, drop: Rule, said: string): never {
  const seen = view(c, host)
  const missing = seen.drift.find(({ table, op }) => table === 'iptables' && op === 'add')
  return broken(
    c,
    host,
    'iptables',
    {
      what: 'iptables rule',
      // Drift is of what overlab pushes.
      ...(missing ? { table: 'iptables', key: missing.key, owner: 'overlab' } : {}),
      text: `${host}'s iptables drop the packet: ${drop.table} ${drop.chain} ${drop.rule} (${drop.before} -> ${drop.after})${missing ? `; the rule ${missing.key} that accepts it is missing` : ''}${said}`,
      ...(missing ? {} : { remedy: 'not of overlab; whoever put it there may take it away' }),
    },
    {
      rules: seen.rules.map((rule) => ({ ...rule, by: ruleOwner(rule, c.plan.hosts[host]!) })),
      see: see(host, 'iptables-save -c'),
    },
  )
}

function byNftables(c: Course, host: string, { by, chain }: Obstacle, said: string): never {
  const rule = by.startsWith('policy') ? `${by} of ${chain}` : by
  return broken(
    c,
    host,
    'firewall',
    { what: 'nft rule', text: `${host}'s nftables stop the packet: ${rule}${said}`, remedy: letIn },
    { see: see(host, 'nft list ruleset') },
  )
}

function unexplained(c: Course, host: string, { code, from }: Refusal): never {
  return broken(
    c,
    host,
    'firewall',
    {
      what: 'firewall rule',
      text: `${host}'s firewall stops the packet: ${host} sent an ICMP error of code ${code} from ${from}; no rule that was read says why`,
      remedy: letIn,
    },
    { see: see(host, 'nft list ruleset') },
  )
}

const letIn = 'not of overlab; docs/hosts.md, Firewalls, has the lines that let the overlay pass'
