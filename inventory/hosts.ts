/** Every host's place: number, underlay address, subnet. Checked against the lab and against each other. */
import { checkAnsible, isRead } from './ansible.ts'
import type { Files } from './files.ts'
import { isOfHost, type GroupedHost } from './groups.ts'
import type { Datapath, Host } from './inventory.ts'
import { contains, lastOf, toBlock, toCidr, toIp, toNumber, unusable } from './ipv4.ts'
import type { Block } from './ipv4.ts'
import { subnetAt } from './lab.ts'
import type { KnownLab } from './lab.ts'
import { enumerate, shown, type Path, type Report } from './mistakes.ts'
import { numberIn, numberOf, readVariable } from './numbers.ts'
import type { Numbered } from './numbers.ts'
import { qemuOf } from './qemu.ts'
import { ownVariable } from './schema.ts'
import { ip, name as nameSchema } from './values.ts'
import type { Cidr, Ip } from './values.ts'
import { overlabCommand } from '../tools/command-line.ts'

/** A host with what could be found out about it; what the file has wrong is missing. */
export interface PlacedHost {
  readonly host: GroupedHost
  readonly numbered?: Numbered
  readonly address?: Given<number>
  readonly subnet?: Given<Block>
  readonly vtepMac?: NonNullable<Host['vtepMac']>
  readonly machine: Host['machine']
  readonly qemu?: NonNullable<Host['qemu']>
  readonly nic?: NonNullable<Host['nic']>
  readonly control: Host['control']
  readonly datapath: Datapath
  readonly iptables: Host['iptables']
  readonly persist: boolean
  readonly vars: Host['vars']
}

/** A value, where it comes from, and whether the file says it in so many words. */
interface Given<T> {
  readonly value: T
  readonly path: Path
  readonly explicit: boolean
}

/** Pure. */
export function placeHosts(
  hosts: readonly GroupedHost[],
  lab: KnownLab,
  files: Files,
  report: Report,
  standIns = false,
): PlacedHost[] {
  if (hosts.length === 0) {
    report({
      path: ['all'],
      atKey: true,
      what: 'the lab has no host',
      todo: 'add hosts: {"node[1:3]": {pods: 2}} to all',
    })
    return []
  }
  const room = roomOf(lab)
  // Where the lab is too small as a whole, that is said once instead of once for each host.
  const crowded = reportCrowd(hosts, lab, report)
  const placed = hosts.map((host) => placeHost(host, lab, room, files, standIns, crowded ? () => {} : report))
  if (!crowded) reportNumbers(placed, lab, room, report)
  reportDuplicates(placed, 'address', (at) => toIp(at), report)
  reportDuplicates(placed, 'subnet', (at) => toCidr(at), report)
  reportMacs(placed, report)
  return placed
}

/** Words of Ansible's that overlab reads, and that stand for variables of its own. */
function isOurs(key: string, machine: Host['machine']): boolean {
  return (
    ['ansible_group_priority', 'ansible_host', 'ansible_ssh_host'].includes(key) ||
    (machine === 'ssh' && isRead(key))
  )
}

/** How many hosts the underlay can hold: all addresses but the network's, the broadcast's and the controller's. */
function underlayRoom(underlay: Block): number {
  return underlay.size - 3
}

function roomOf(lab: KnownLab): number {
  return Math.min(
    lab.underlay ? underlayRoom(lab.underlay) : Infinity,
    lab.subnets?.count ?? Infinity,
    2 ** 24,
  )
}

function reportCrowd(hosts: readonly GroupedHost[], lab: KnownLab, report: Report): boolean {
  let crowded = false
  // A host that exists may have its address elsewhere.
  const inside = hosts.filter((host) => {
    const address = readVariable(host, 'address')
    return typeof address !== 'object' || !lab.underlay || contains(lab.underlay, toNumber(address.value))
  })
  if (lab.underlay && inside.length > underlayRoom(lab.underlay)) {
    const what = `${toCidr(lab.underlay)} has no room for ${inside.length} machines: beside the controller it holds ${underlayRoom(lab.underlay)}`
    report({ path: ['lab', 'underlay'], what, todo: 'use a shorter prefix' })
    crowded = true
  }
  if (lab.subnets && lab.network && hosts.length > lab.subnets.count) {
    const what = `${toCidr(lab.network)} has ${lab.subnets.count} subnets of /${lab.subnets.length} to give out, and the lab has ${hosts.length} hosts`
    report({
      path: ['lab', 'overlay', 'Network'],
      what,
      todo: 'use a wider Network, a longer SubnetLen, or other SubnetMin and SubnetMax',
    })
    crowded = true
  }
  return crowded
}

function placeHost(
  host: GroupedHost,
  lab: KnownLab,
  room: number,
  files: Files,
  standIns: boolean,
  report: Report,
): PlacedHost {
  const numbered = numberOf(host, Number.isFinite(room) ? room : 0)
  const path = host.variables.get('number')?.path ?? host.path
  const machine = readVariable(host, 'machine')
  const kind = typeof machine === 'object' ? machine.value : (lab.machine ?? 'namespace')
  if (kind === 'ssh') checkAnsible(host, report)
  else if (!nameSchema.safeParse(host.name).success)
    report({
      path: host.path,
      atKey: true,
      what: `${shown(host.name)} cannot be the name of a machine that overlab makes`,
      todo: 'use lower-case letters, digits and inner dashes, at most 63; or machine: ssh, if it is a host that exists',
    })
  const own =
    givenAddress(host, kind, lab, standIns, report) ?? numberedAddress(host, numbered, path, lab, report)
  const address = own === 'wrong' ? undefined : own
  const subnet = subnetOf(host, numbered, path, lab, report)
  const vtepMac = readVariable(host, 'vtep_mac')
  const iptables = readVariable(host, 'iptables')
  const qemu = qemuOf(host, kind, files, report)
  const nic = readVariable(host, 'nic')
  const given = readVariable(host, 'control')
  const datapath = readVariable(host, 'datapath')
  const control = typeof given === 'object' ? given.value : (lab.control ?? 'static')
  if (control === 'flanneld' && kind !== 'namespace') {
    report({
      path: typeof given === 'object' ? given.variable.path : host.path,
      ...(typeof given !== 'object' && { atKey: true }),
      what: `flanneld runs on machines of the kind namespace, and ${host.name} is ${kind}`,
      todo: 'use control: static for this host',
    })
  }
  if (control === 'flanneld' && typeof iptables === 'object' && iptables.value !== 'auto') {
    report({
      path: iptables.variable.path,
      what: `${iptables.value} cannot be chosen for ${host.name}: flanneld takes the iptables that the machine uses by default`,
      todo: 'remove it, or use control: static for this host',
    })
  }
  return {
    host,
    ...(numbered && { numbered }),
    ...(address && { address }),
    ...(subnet && { subnet }),
    ...(typeof vtepMac === 'object' && { vtepMac: vtepMac.value }),
    machine: kind,
    ...(qemu && { qemu }),
    ...(kind === 'ssh' && typeof nic === 'object' && { nic: nic.value }),
    control,
    datapath: typeof datapath === 'object' ? datapath.value : (lab.datapath ?? 'auto'),
    iptables: typeof iptables === 'object' ? iptables.value : 'auto',
    persist: persists(host, kind, control, report),
    vars: Object.fromEntries(
      [...host.variables]
        .filter(([key]) => ownVariable.test(key) && !isOurs(key, kind))
        .map(([key, variable]) => [key, variable.value]),
    ),
  }
}

/** Whether it restores its data plane at boot. A `true` of its groups is for those of them that can. */
function persists(
  host: GroupedHost,
  machine: Host['machine'],
  control: Host['control'],
  report: Report,
): boolean {
  const given = readVariable(host, 'persist')
  const can = machine !== 'namespace' && control === 'static'
  if (typeof given !== 'object') return can
  const { value, variable } = given
  if (value && !can && isOfHost(variable, host)) {
    const why =
      control === 'static' ? 'is of the kind namespace, which has no systemd' : 'is filled by flanneld'
    report({
      path: variable.path,
      what: `${host.name} ${why}, and restores nothing at boot`,
      todo: `remove it; \`${overlabCommand('up')}\` gives the machine everything again`,
    })
  }
  return value && can
}

const noZero = 'numbers start at 1; set number for it, or number_from: 1 for its group'

/** The address that the file gives; a host that exists needs one, since it has one already. 'wrong' is told here. */
function givenAddress(
  host: GroupedHost,
  machine: Host['machine'],
  lab: KnownLab,
  standIns: boolean,
  report: Report,
): Given<number> | 'wrong' | undefined {
  const own = readVariable(host, 'address')
  const ansibles = readVariable(host, 'ansible_host')
  if (own === 'wrong' || ansibles === 'wrong' || !lab.underlay) return 'wrong'
  if (machine !== 'ssh' && own && ansibles && own.value !== ansibles.value) {
    const what = 'differs from address, which is the same variable'
    report({ path: ansibles.variable.path, what, todo: 'keep one of the two' })
    return 'wrong'
  }
  const given = own ?? ansibles ?? (machine === 'ssh' ? readVariable(host, 'ssh_host') : undefined)
  if (given === 'wrong') return 'wrong'
  const checked = given && ip.safeParse(given.value)
  if (given && checked?.success) {
    const value = toNumber(checked.data)
    const at = given.variable.path
    const wrong =
      machine === 'ssh' && !contains(lab.underlay, value)
        ? outsideOf(lab.underlay, host.name, checked.data, own !== undefined, lab)
        : wrongAddress(checked.data, value, machine, lab.underlay, lab)
    if (!wrong) return { value, path: at, explicit: true }
    report({ path: at, ...wrong })
    return 'wrong'
  }
  if (machine === 'ssh' && standIns) return undefined
  if (machine === 'ssh')
    report({
      path: host.path,
      what: `${host.name} is a host that exists, and its address in the underlay is not given`,
      todo: `add address: the one that it has in ${toCidr(lab.underlay)}`,
    })
  else if (given)
    report({
      path: given.variable.path,
      what: `${shown(given.value)} ${checked?.error?.issues[0]?.message.split('; ')[0]}`,
      todo: 'write one such as 192.168.77.1',
    })
  return given || machine === 'ssh' ? 'wrong' : undefined
}

function numberedAddress(
  host: GroupedHost,
  numbered: Numbered | undefined,
  path: Path,
  lab: KnownLab,
  report: Report,
): Given<number> | undefined {
  const { underlay } = lab
  if (!numbered || !underlay) return undefined
  if (numbered.number >= 1 && numbered.number <= underlayRoom(underlay)) {
    return { value: underlay.first + numbered.number, path, explicit: false }
  }
  const last = underlayRoom(underlay)
  report({
    path,
    what: `${host.name} has the number ${numbered.number}, and ${toCidr(underlay)} has room for 1 to ${last}`,
    todo: numbered.number < 1 ? noZero : 'set number or address for it, or use a wider underlay',
  })
  return undefined
}

/**
 * What is wrong with an address of a host that exists, outside of the underlay. Backends with an outer header need no
 * common link, only that the peers' packets arrive; but that they do must be said by `address`, for where overlab logs in
 * says nothing of where peers send.
 */
function outsideOf(
  underlay: Block,
  host: string,
  text: Ip,
  isAddress: boolean,
  lab: KnownLab,
): { what: string; todo: string } | undefined {
  const type = lab.backend?.Type
  const add = `add address: the one that ${host} has in ${toCidr(underlay)}`
  if (!isAddress)
    return {
      what: `${text} is not in the underlay ${toCidr(underlay)}; that is where overlab logs in, and where the peers of ${host} send is not given`,
      todo: type === 'host-gw' ? add : `${add}, or address: ${text} if they send there`,
    }
  const kind = unusable(`${text}/32` as Cidr)
  if (kind !== undefined)
    return {
      what: `${text} is an address of the kind ${kind}`,
      todo: `write the one that peers of ${host} send to`,
    }
  if (lab.network && contains(lab.network, toNumber(text)))
    return {
      what: `${text} lies inside the pod network ${toCidr(lab.network)}`,
      todo: 'choose a Network that is used nowhere else',
    }
  if (type !== 'host-gw') return undefined
  return {
    what: `${text} is not in the underlay ${toCidr(underlay)}; host-gw routes straight to the peers' addresses, so every peer must be on the same link`,
    todo: 'use the backend vxlan or udp, which need no common link, or give the address that it has there',
  }
}

function wrongAddress(
  text: Ip,
  value: number,
  machine: Host['machine'],
  underlay: Block,
  lab: KnownLab,
): { what: string; todo: string } | undefined {
  const range = `pick one from ${toIp(underlay.first + 1)} to ${toIp(lastOf(underlay) - 2)}`
  if (lab.network && contains(lab.network, value)) {
    return { what: `${text} lies inside the pod network ${toCidr(lab.network)}`, todo: range }
  }
  if (!contains(underlay, value)) {
    const outside = `${text} is not in the underlay ${toCidr(underlay)}`
    return lab.backend?.Type === 'host-gw'
      ? {
          what: `${outside}; host-gw routes straight to the peers' addresses, so every peer must be on the same link`,
          todo: range,
        }
      : { what: `${outside}, which joins all machines that overlab makes`, todo: range }
  }
  if (value === underlay.first) return { what: `${text} is the address of the underlay itself`, todo: range }
  if (value === lastOf(underlay)) return { what: `${text} is the underlay's broadcast address`, todo: range }
  // Hosts that exist are reached from wherever this computer is.
  if (machine !== 'ssh' && value === lastOf(underlay) - 1)
    return { what: `${text} is the controller's address`, todo: range }
  return undefined
}

function subnetOf(
  host: GroupedHost,
  numbered: Numbered | undefined,
  path: Path,
  lab: KnownLab,
  report: Report,
): Given<Block> | undefined {
  const given = readVariable(host, 'subnet')
  const { subnets, network } = lab
  if (given === 'wrong' || !subnets || !network) return undefined
  if (given) {
    const value = toBlock(given.value)
    const at = given.variable.path
    const wrong = wrongSubnet(given.value, value, network, subnets)
    if (!wrong) return { value, path: at, explicit: true }
    report({ path: at, ...wrong })
    return undefined
  }
  if (!numbered) return undefined
  if (numbered.number >= 1 && numbered.number <= subnets.count) {
    return { value: subnetAt(subnets, numbered.number), path, explicit: false }
  }
  // Said once, by the address, where the number is out of both ranges.
  const said =
    lab.underlay &&
    !host.variables.has('address') &&
    !(numbered.number >= 1 && numbered.number <= underlayRoom(lab.underlay))
  if (said) return undefined
  report({
    path,
    what: `${host.name} has the number ${numbered.number}, and there are subnets for 1 to ${subnets.count}`,
    todo: numbered.number < 1 ? noZero : 'set number or subnet for it, or use a wider Network',
  })
  return undefined
}

function wrongSubnet(
  text: Cidr,
  value: Block,
  network: Block,
  subnets: NonNullable<KnownLab['subnets']>,
): { what: string; todo: string } | undefined {
  const first = toIp(subnets.min)
  const last = toIp(subnets.max)
  if (value.length !== subnets.length) {
    const todo = `use a /${subnets.length}, or change SubnetLen for all hosts`
    return { what: `${text} is not a /${subnets.length}, as every host's subnet is`, todo }
  }
  const todo = `pick one from ${first}/${subnets.length} to ${last}/${subnets.length}`
  if (!contains(network, value.first))
    return { what: `${text} is not in the Network ${toCidr(network)}`, todo }
  if (value.first < subnets.min || value.first > subnets.max) {
    return { what: `${text} is not between SubnetMin ${first} and SubnetMax ${last}`, todo }
  }
  return undefined
}

const sureness = { variable: 0, name: 1, hash: 2 }

/** Hosts that would get the same place from the same number. The surer one keeps it; the other one is told what is free. */
function reportNumbers(placed: readonly PlacedHost[], lab: KnownLab, room: number, report: Report): void {
  const byAddress = new Map<number, PlacedHost>()
  const bySubnet = new Map<number, PlacedHost>()
  const clashes = new Map<string, { path: Path; pairs: [PlacedHost, PlacedHost][] }>()
  const ranked = placed.toSorted(
    (a, b) => sureness[a.numbered?.by ?? 'hash'] - sureness[b.numbered?.by ?? 'hash'],
  )
  for (const one of ranked) {
    const number = one.numbered?.number
    if (number === undefined) continue
    const tables = [
      ...(one.address?.explicit === false ? [byAddress] : []),
      ...(one.subnet?.explicit === false ? [bySubnet] : []),
    ]
    const owner = tables.map((table) => table.get(number)).find((other) => other !== undefined)
    if (!owner) {
      for (const table of tables) table.set(number, one)
      continue
    }
    const path = one.host.variables.get('number')?.path ?? one.host.path
    const clash = clashes.get(JSON.stringify(path)) ?? { path, pairs: [] }
    clash.pairs.push([one, owner])
    clashes.set(JSON.stringify(path), clash)
  }
  const free = freeNumbers(placed, lab, room)
  for (const { path, pairs } of clashes.values()) {
    const [one, owner] = pairs[0] as [PlacedHost, PlacedHost]
    const next = free()
    const number = one.numbered?.number ?? 0
    const places = [
      ...(one.address?.explicit === false && owner.address?.explicit === false
        ? [toIp(one.address.value)]
        : []),
      ...(one.subnet?.explicit === false && owner.subnet?.explicit === false
        ? [toCidr(one.subnet.value)]
        : []),
    ]
    const who = owner.host.name
    const both = `both would get ${places.join(' and ')}`
    const what =
      pairs.length > 1
        ? `${enumerate(pairs.map(([clashing]) => clashing.host.name))} have the numbers of ${enumerate(pairs.map(([, other]) => other.host.name))}`
        : one.numbered?.by === 'hash'
          ? `${one.host.name} has the number ${number} (made from its name), which ${who} has: ${both}`
          : `${one.host.name} has the number ${number} as ${who} has: ${both}`
    const from = one.numbered?.by === 'name' ? freeFrom(placed, one, room) : undefined
    const todo =
      next === undefined
        ? 'no number is free; use a wider underlay and Network'
        : `set number: ${next} for ${one.host.name}${pairs.length > 1 ? ' and so on' : ''}${from === undefined ? '' : `, or number_from: ${from} for its group`}`
    report({ path, what, todo })
  }
}

/** The least `number_from` that gives all hosts that are named in one place (a range) numbers that no other has. */
function freeFrom(placed: readonly PlacedHost[], one: PlacedHost, room: number): number | undefined {
  const together = placed.filter(
    ({ host, numbered }) => host.path === one.host.path && numbered?.by === 'name',
  )
  const others = new Set(
    placed.filter((other) => !together.includes(other)).map(({ numbered }) => numbered?.number),
  )
  const trailing = together.map(({ host }) => Number(numberIn(host.name)?.[0]))
  if (new Set(trailing).size < trailing.length) return undefined
  const most = Math.max(...trailing)
  for (let from = 0; from + most <= room; from++) {
    if (trailing.every((number) => number + from >= 1 && !others.has(number + from))) return from
  }
  return undefined
}

/** Hands out numbers that no host has and whose address and subnet no host has. */
function freeNumbers(placed: readonly PlacedHost[], lab: KnownLab, room: number): () => number | undefined {
  const used = new Set(placed.map(({ numbered }) => numbered?.number))
  const addresses = new Set(placed.map(({ address }) => address?.value))
  const subnets = new Set(placed.map(({ subnet }) => subnet?.value.first))
  let next = 1
  return () => {
    for (; next <= room; next++) {
      if (used.has(next)) continue
      if (lab.underlay && addresses.has(lab.underlay.first + next)) continue
      if (lab.subnets && subnets.has(subnetAt(lab.subnets, next).first)) continue
      return next++
    }
    return undefined
  }
}

/** Equal addresses or subnets of which at least one is written out; equal numbers have been reported. */
function reportDuplicates<K extends 'address' | 'subnet'>(
  placed: readonly PlacedHost[],
  key: K,
  text: (value: NonNullable<PlacedHost[K]>['value']) => string,
  report: Report,
): void {
  const owners = new Map<string, PlacedHost[]>()
  for (const one of placed) {
    const at = one[key]
    if (!at) continue
    const word = text(at.value)
    const others = owners.get(word)
    if (others) others.push(one)
    else owners.set(word, [one])
  }
  for (const [word, all] of owners) {
    // The one that says it is told; the one that got it from its number did nothing.
    const guilty = all.filter((one) => one[key]?.explicit).at(-1)
    if (all.length < 2 || !guilty) continue
    const what = `${word} is the ${key} of ${enumerate(all.map(({ host }) => host.name))}`
    report({ path: guilty[key]?.path ?? guilty.host.path, what, todo: `give each host its own ${key}` })
  }
}

function reportMacs(placed: readonly PlacedHost[], report: Report): void {
  const owners = Map.groupBy(
    placed.filter(({ vtepMac }) => vtepMac),
    ({ vtepMac }) => vtepMac,
  )
  for (const [word, all] of owners) {
    if (all.length < 2) continue
    const path = all.at(-1)?.host.variables.get('vtep_mac')?.path ?? []
    const what = `${word} is the vtep_mac of ${enumerate(all.map(({ host }) => host.name))}`
    report({ path, what, todo: 'give each host its own, or leave it out: it is made from the name' })
  }
}
