/**
 * IPv4 addresses of overlab's links. An address carries no owner's mark, so it belongs by its link; on other
 * links (`eth0`) only the addresses named in the table are looked at.
 */
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { ifName, ip, type IfName, type Ip } from '../inventory/values.ts'
import { otherWords, readEntries, textOf, type Entry, entriesOf } from './json.ts'
import { linksProbe } from './link.ts'
import { diffTable, prepareAndSweep, type Change, type Module, type Row, type Scope } from './module.ts'
import { readWords, rowSchema, writeWords, type Grammar } from './words.ts'

const grammar: Grammar = {
  brd: ip,
  scope: z.enum(['global', 'link', 'host'], 'is none of global, link, host'),
}
const order = ['brd', 'scope']

/**
 * The broadcast address is the subnet's last one unless told; /31 and /32 have none (flannel.1's P.0/32 has none,
 * cni0's P.1/24 has one).
 */
export function address(a: { ip: Ip; length: number; dev: IfName; broadcast?: Ip }): Row {
  const broadcast = a.broadcast ?? broadcastOf(a.ip, a.length)
  return {
    key: `${a.ip}/${a.length} dev ${a.dev}`,
    line: `${broadcast === undefined ? '' : `brd ${broadcast} `}scope global`,
  }
}

export const addressModule: Module = {
  table: 'addresses',
  noun: 'address',
  row: rowSchema(({ key, line }, complain) => {
    const place = placeOf(key)
    if (!place) {
      complain('key', 'is not of the form 10.244.1.1/24 dev cni0')
      return ''
    }
    if (line.trim() === '') return address(place).line
    const words = readWords(line, grammar, (message) => complain('line', message))
    return writeWords(new Map([['scope', 'global'], ...words]), order)
  }),

  probe: () => linksProbe,

  parse(output, { desired, prior, links }) {
    const table: Record<string, string> = {}
    for (const link of readEntries(output, linksProbe)) {
      const dev = textOf(link, 'ifname')
      for (const entry of entriesOf(link, 'addr_info')) {
        if (entry['family'] !== 'inet') continue
        const key = `${textOf(entry, 'local')}/${textOf(entry, 'prefixlen')} dev ${dev}`
        const line = lineOf(entry, dev)
        if (links.includes(dev) || key in desired || prior[key] === line) table[key] = line
      }
    }
    return table
  },

  diff: (current, desired) => diffTable('addresses', current, desired),

  render(changes, scope) {
    const swept = new Set<string>()
    return prepareAndSweep(changes, 'ip -batch -', (change) => {
      if (change.op === 'add') return [addition(change.key, change.to)]
      const back = secondaries(change.key, scope)
      // The broadcast address and the scope of an address cannot be changed in place.
      if (change.op === 'change')
        return guarded(change.key, [deletion(change), addition(change.key, change.to), ...back])
      const subnet = subnetOf(change.key)
      // The one before it in this subnet may have taken it along.
      const returned = swept.has(subnet) ? [`address replace ${change.key}`] : []
      swept.add(subnet)
      return [
        ...returned,
        ...(back.length > 0 ? guarded(change.key, [deletion(change), ...back]) : [deletion(change)]),
      ]
    })
  },
}

function addition(key: string, line: string): string {
  return `address replace ${key} ${line}`
}

function deletion(change: Extract<Change, { from: string }>): string {
  const peer = change.from.match(/^peer (\S+)/)?.[1]
  const [prefix = '', , dev] = change.key.split(' ')
  return peer ? `address del ${prefix.split('/')[0]} peer ${peer} dev ${dev}` : `address del ${change.key}`
}

/** A link that is without an address for a moment loses all its routes and neighbours; another one holds them. */
function guarded(key: string, lines: readonly string[]): string[] {
  const guard = `${guardAddress} dev ${key.split(' dev ')[1]}`
  return [`address replace ${guard} scope link`, ...lines, `address del ${guard}`]
}

/** From 169.254.0.0/16 (RFC 3927), which nobody routes. */
const guardAddress = '169.254.79.79/32'

/** With the first address of a subnet the kernel deletes the others of that subnet; those that stay come back. */
function secondaries(key: string, { desired }: Scope): string[] {
  return Object.entries(desired).flatMap(([other, line]) =>
    other !== key && subnetOf(other) === subnetOf(key) ? [addition(other, line)] : [],
  )
}

/** The link and the subnet that an address gives it. */
function subnetOf(key: string): string {
  const [prefix = '', , dev] = key.split(' ')
  return `${ipaddr.IPv4.networkAddressFromCIDR(prefix).toString()}/${prefix.split('/')[1]} dev ${dev}`
}

function lineOf(entry: Entry, dev: string): string {
  const words: string[] = []
  if (entry['address'] !== undefined)
    words.push(`peer ${textOf(entry, 'address')}/${textOf(entry, 'prefixlen')}`)
  if (entry['broadcast'] !== undefined) words.push(`brd ${textOf(entry, 'broadcast')}`)
  words.push(`scope ${textOf(entry, 'scope')}`, ...otherWords(entry, known))
  if (entry['label'] !== undefined && entry['label'] !== dev) words.push(`label ${textOf(entry, 'label')}`)
  if (entry['valid_life_time'] !== undefined && entry['valid_life_time'] !== forever) words.push('expires')
  return words.join(' ')
}

const forever = 2 ** 32 - 1
// `secondary` says in which order addresses came, not what they are.
const known = new Set([
  ...['family', 'local', 'prefixlen', 'address', 'broadcast', 'scope', 'label', 'secondary'],
  ...['valid_life_time', 'preferred_life_time'],
])

function placeOf(key: string): { ip: Ip; length: number; dev: IfName } | undefined {
  const [, text, length, name] = key.match(/^([0-9.]+)\/([0-9]|[12][0-9]|3[0-2]) dev (\S+)$/) ?? []
  const address = ip.safeParse(text)
  const dev = ifName.safeParse(name)
  return address.success && dev.success
    ? { ip: address.data, length: Number(length), dev: dev.data }
    : undefined
}

function broadcastOf(address: Ip, length: number): string | undefined {
  return length > 30 ? undefined : ipaddr.IPv4.broadcastAddressFromCIDR(`${address}/${length}`).toString()
}
