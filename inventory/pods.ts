/** Every pod's name and address. An address depends on the pod's name and its host's subnet alone. */
import type { PlacedHost } from './hosts.ts'
import type { Pod } from './inventory.ts'
import { contains, lastOf, toCidr, toIp, toNumber } from './ipv4.ts'
import type { Block } from './ipv4.ts'
import { enumerate } from './mistakes.ts'
import type { Path, Report } from './mistakes.ts'
import { hashed, readVariable } from './numbers.ts'
import { bridgePorts } from './schema.ts'
import { name as nameSchema } from './values.ts'
import type { Ip, Name } from './values.ts'

interface Wish {
  readonly name: Name
  readonly path: Path
  readonly address?: Ip
}

/** Without a word in the file, a host has one pod: the least that can be pinged. */
const standardCount = 1

/** Pure. Host name -> its pods; a host whose subnet is not known has none. */
export function placePods(hosts: readonly PlacedHost[], report: Report): Map<string, Pod[]> {
  const hostNames = new Set<string>(hosts.map(({ host }) => host.name))
  const owners = new Map<string, string>()
  const result = new Map<string, Pod[]>()
  for (const one of hosts) {
    const wishes = podsOf(one, report)
    for (const { name, path } of wishes) {
      const owner = owners.get(name)
      if (hostNames.has(name)) {
        report({ path, what: `${name} is the name of a host and of a pod`, todo: 'rename one of them' })
      } else if (owner !== undefined) {
        const what = `${name} is a pod of ${owner === one.host.name ? 'this host already' : `${owner} and of ${one.host.name}`}`
        report({
          path,
          what,
          todo: 'give every pod of the lab a name of its own; a count names them after their host',
        })
      }
      owners.set(name, one.host.name)
    }
    if (one.subnet) result.set(one.host.name, addresses(one.host.name, wishes, one.subnet.value, report))
  }
  return result
}

/** How many addresses pods can have: the network's is the VTEP's, the next one the bridge's, the last one the broadcast. */
function roomOf(subnet: Block): number {
  return subnet.size - 3
}

function podsOf({ host, subnet }: PlacedHost, report: Report): Wish[] {
  const reading = readVariable(host, 'pods')
  if (reading === 'wrong') return []
  const pods = reading?.value ?? standardCount
  const path = reading?.variable.path ?? host.path
  const count = typeof pods === 'number' ? pods : Object.keys(pods).length
  if (subnet && count > roomOf(subnet.value)) {
    const what = `${count} pods do not fit into a /${subnet.value.length}, which has room for ${roomOf(subnet.value)} beside its own address, the bridge and the broadcast`
    report({ path, what, todo: 'use fewer pods, or a shorter SubnetLen' })
    return []
  }
  if (count > bridgePorts) {
    const what = `${count} pods do not fit on one host, whose bridge has ${bridgePorts} ports`
    report({ path, what, todo: 'use fewer pods, or more hosts' })
    return []
  }
  if (typeof pods === 'number') {
    const names = Array.from({ length: pods }, (_, index) => `${podPrefix(host.name)}${index + 1}`)
    const long = names.find((name) => !nameSchema.safeParse(name).success)
    if (long === undefined) return names.map((name) => ({ name: name as Name, path }))
    report({
      path,
      what: `${long} is too long for the name of a pod`,
      todo: 'give the host a shorter name, or name its pods',
    })
    return []
  }
  if (Array.isArray(pods)) return pods.map((name, index) => ({ name, path: [...path, index] }))
  return Object.entries(pods).map(([name, options]) => ({
    name: name as Name,
    path: options?.address === undefined ? [...path, name] : [...path, name, 'address'],
    ...(options?.address !== undefined && { address: options.address }),
  }))
}

function addresses(host: Name, wishes: readonly Wish[], subnet: Block, report: Report): Pod[] {
  const placed = wishes.flatMap((wish) => {
    const offset =
      wish.address === undefined
        ? offsetOf(wish.name, host, subnet)
        : explicitOffset(wish.address, wish, subnet, report)
    return offset === undefined ? [] : [{ wish, offset }]
  })
  const used = new Set(placed.map(({ offset }) => offset))
  const owners = new Map<number, Wish>()
  // Addresses that are written out stay; a pod that got the same one from its name is told.
  const ranked = placed.toSorted(
    (a, b) => Number(a.wish.address === undefined) - Number(b.wish.address === undefined),
  )
  for (const { wish, offset } of ranked) {
    const owner = owners.get(offset)
    if (!owner) {
      owners.set(offset, wish)
      continue
    }
    if (wish.name === owner.name) continue
    const free = Array.from({ length: roomOf(subnet) }, (_, index) => index + 2).find(
      (other) => !used.has(other),
    )
    if (free !== undefined) used.add(free)
    const whence = wish.address === undefined ? ' (made from its name)' : ''
    const what = `${enumerate([owner.name, wish.name])} would both get ${toIp(subnet.first + offset)}${whence}`
    const todo =
      free === undefined
        ? 'use fewer pods'
        : wish.address === undefined
          ? `write pods as a map, with ${wish.name}: {address: ${toIp(subnet.first + free)}}, which is free`
          : `use ${toIp(subnet.first + free)}, which is free`
    report({ path: wish.path, what, todo })
  }
  return placed.map(({ wish, offset }) => ({ name: wish.name, address: toIp(subnet.first + offset) }))
}

/** Pods are namespaces that overlab makes: of a host that exists, dots, underscores and capitals are left out of their names. */
function podPrefix(host: Name): string {
  return `${host.toLowerCase().replace(/[._]/g, '-')}-pod`
}

/** HOST-podN is P.(N+1); any other name has a place of its own in the subnet, which no other pod's coming or going moves. */
function offsetOf(pod: Name, host: Name, subnet: Block): number {
  const prefix = podPrefix(host)
  const numbered = pod.startsWith(prefix) ? /^[1-9]\d{0,8}$/.exec(pod.slice(prefix.length)) : null
  const number = numbered ? Number(numbered[0]) : 0
  return 2 + (number >= 1 && number <= roomOf(subnet) ? number - 1 : hashed(pod, roomOf(subnet)))
}

function explicitOffset(address: Ip, { path }: Wish, subnet: Block, report: Report): number | undefined {
  const value = toNumber(address)
  const todo = `pick one from ${toIp(subnet.first + 2)} to ${toIp(lastOf(subnet) - 1)}`
  const wrong = !contains(subnet, value)
    ? `${address} is not in the host's subnet ${toCidr(subnet)}`
    : value === subnet.first
      ? `${address} is the subnet's own address`
      : value === subnet.first + 1
        ? `${address} is the bridge's address`
        : value === lastOf(subnet)
          ? `${address} is the subnet's broadcast address`
          : undefined
  if (wrong === undefined) return value - subnet.first
  report({ path, what: wrong, todo })
  return undefined
}
