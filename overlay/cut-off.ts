/** Whether a planned state would cut the way by which overlab reaches a host. Pure. */
import { contains, overlap, toBlock, toNumber } from '../inventory/ipv4.ts'
import { cidr, ip, type Cidr } from '../inventory/values.ts'
import type { HostState, TableName } from '../modules/state.ts'

/** How a host answers overlab: what its kernel does with packets to the address that it is reached from. */
export interface Way {
  /** This computer's address (or the jump host's) as the host sees it: the first word of $SSH_CONNECTION. */
  readonly from: string
  readonly dev: string
  /** The gateway, where `from` is not on the link. */
  readonly via?: string
}

export interface Cut {
  readonly table: TableName
  readonly key: string
  /** Follows the row's name. */
  readonly why: string
}

/** The rows that would; empty = none. A way by IPv6 is none of an overlay's, which is IPv4 only. */
export function cutOff(state: HostState, way: Way): Cut[] {
  const places = [
    { address: way.from, what: `${way.from}, from which overlab reaches the host` },
    ...(way.via
      ? [
          {
            address: way.via,
            what: `${way.via}, the gateway to ${way.from}, from which overlab reaches the host`,
          },
        ]
      : []),
  ].filter(({ address }) => ip.safeParse(address).success)
  const covered = (prefix: string) => {
    const [address = '', length = '32'] = prefix.split(' ')[0]!.split('/')
    if (!ip.safeParse(address).success) return undefined
    const block = toBlock(`${address}/${length}` as Cidr)
    return places.find((place) => contains(block, toNumber(ip.parse(place.address))))?.what
  }
  const cuts: Cut[] = []
  for (const table of ['routes', 'addresses'] as const)
    for (const key of Object.keys(state[table] ?? {})) {
      const what = covered(key)
      if (what) cuts.push({ table, key, why: `covers ${what}` })
    }
  for (const key of Object.keys(state.links ?? {}))
    if (key === way.dev)
      cuts.push({
        table: 'links',
        key,
        why: `is the link to ${way.from}, from which overlab reaches the host`,
      })
  for (const [key, line] of Object.entries(state.iptables ?? {}))
    if (
      / -j (DROP|REJECT)\b/.test(` ${line}`) &&
      meets(
        line,
        places.map(({ address }) => address),
      )
    )
      cuts.push({
        table: 'iptables',
        key,
        why: `drops packets of ${way.from}, from which overlab reaches the host`,
      })
  return cuts
}

/** Whether a rule can meet SSH to or from one of these: it names no other address, and no protocol but TCP. */
function meets(rule: string, addresses: readonly string[]): boolean {
  const protocol = / -p (\S+)/.exec(` ${rule}`)?.[1]
  if (protocol !== undefined && !['tcp', 'all', '6'].includes(protocol)) return false
  return [...` ${rule}`.matchAll(/( !)? -[sd] (\S+)/g)].every(([, not, prefix = '']) => {
    const whole = prefix.includes('/') ? prefix : `${prefix}/32`
    const block = cidr.safeParse(whole)
    if (!block.success) return true
    const isIn = addresses.some((address) => overlap(toBlock(block.data), toBlock(`${address}/32` as Cidr)))
    return not ? !isIn : isIn
  })
}
