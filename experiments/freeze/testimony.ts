/**
 * Who says what of which host: the host's own kernel, its peers' kernels (what decides where packets go), flanneld's
 * file, and the leases in etcd. Pure. Where two contradict each other, freezing one of them would cut somebody off.
 */
import { blockAt, contains, lastOf, toBlock, toCidr, toNumber } from '../../inventory/ipv4.ts'
import { cidr, ip, mac, type Ip, type Name } from '../../inventory/values.ts'
import { textOf, type Entry, entriesOf } from '../../modules/json.ts'
import type { LabPlan, PlannedHost } from '../../overlay/plan.ts'
import type { Lease } from './leases.ts'
import { subnetFile, type HostReading } from './reading.ts'

export type Fact = 'subnet' | 'VTEP MAC' | 'address' | 'backend'

export interface Testimony {
  readonly about: Name
  readonly fact: Fact
  readonly value: string
  /** A host, `etcd` or `the inventory`. */
  readonly by: string
  /** The entry that says so, as its own tool prints it. */
  readonly entry: string
}

/** An entry that leads to no host of the inventory. */
export interface Stranger {
  readonly by: string
  readonly entry: string
  readonly why: string
}

export interface Testimonies {
  readonly all: readonly Testimony[]
  readonly strangers: readonly Stranger[]
}

/** @param leases undefined where etcd could not be read */
export function testimonies(
  plan: LabPlan,
  readings: readonly HostReading[],
  leases: readonly Lease[] | undefined,
): Testimonies {
  const own = readings.flatMap((reading) => ofItself(plan, reading))
  const silent = Object.values(plan.hosts).filter(
    ({ name }) => !own.some(({ about, fact }) => about === name && fact === 'subnet'),
  )
  // Of a host that says nothing of itself, the planned subnet is taken for its own until somebody says otherwise.
  const owners = new Map<string, Name>([
    ...silent.map(({ subnet, name }) => [subnet, name] as const),
    ...own.flatMap(({ fact, value, about }) => (fact === 'subnet' ? [[value, about] as const] : [])),
  ])
  const others = [
    ...(leases ?? []).map((lease) => ofLease(plan, lease, owners)),
    ...readings.map((reading) => ofPeers(plan, reading, owners)),
  ]
  return {
    all: [...own, ...others.flatMap(({ all }) => all)],
    strangers: others.flatMap(({ strangers }) => strangers),
  }
}

/** The device on which flannel puts P.0, by the backend. */
function deviceOf({ overlay: { Backend } }: LabPlan['lab']): string | undefined {
  return {
    vxlan: 'VNI' in Backend ? `flannel.${Backend.VNI}` : undefined,
    'host-gw': undefined,
    udp: 'flannel0',
  }[Backend.Type]
}

function ofItself({ lab }: LabPlan, { host, links, subnetEnv }: HostReading): Testimony[] {
  const said = { about: host, by: host }
  const device = links.find((link) => textOf(link, 'ifname') === deviceOf(lab))
  const { SubnetLen, Network } = lab.overlay
  const addresses = entriesOf(device ?? {}, 'addr_info')
    .filter((address) => address['family'] === 'inet' && address['prefixlen'] === 32)
    .map((address) => textOf(address, 'local') as Ip)
    .filter((address) => contains(toBlock(Network), toNumber(address)))
  const file = /^FLANNEL_SUBNET=(\S+)$/m.exec(subnetEnv)?.[1]
  return [
    ...addresses.map((address) => ({
      ...said,
      fact: 'subnet' as const,
      value: toCidr(blockAt(toNumber(address), SubnetLen)),
      entry: `address ${address}/32 dev ${deviceOf(lab)}`,
    })),
    ...(file
      ? [
          {
            ...said,
            fact: 'subnet' as const,
            value: networkOf(file),
            entry: `${subnetFile}: FLANNEL_SUBNET=${file}`,
          },
        ]
      : []),
    ...(device && lab.overlay.Backend.Type === 'vxlan'
      ? [
          {
            ...said,
            fact: 'VTEP MAC' as const,
            value: textOf(device, 'address'),
            entry: `link ${deviceOf(lab)} address ${textOf(device, 'address')}`,
          },
        ]
      : []),
  ]
}

/** `10.244.1.1/24` -> `10.244.1.0/24` */
function networkOf(prefix: string): string {
  const [address = '', length = ''] = prefix.split('/')
  const parsed = ip.safeParse(address)
  if (!parsed.success) return prefix
  const size = 2 ** (32 - Number(length))
  return toCidr(blockAt(Math.floor(toNumber(parsed.data) / size) * size, Number(length)))
}

function ofLease(plan: LabPlan, lease: Lease, owners: ReadonlyMap<string, Name>): Testimonies {
  const { key } = lease
  const by = 'etcd'
  const entry = key
  if ('wrong' in lease) return { all: [], strangers: [{ by, entry, why: lease.wrong }] }
  const place = hostAt(plan, lease.address)
  const about = place?.name ?? owners.get(lease.subnet)
  if (!about)
    return { all: [], strangers: [{ by, entry, why: `${lease.address} is no host of the inventory` }] }
  const type = plan.lab.overlay.Backend.Type
  const said = (fact: Fact, text: string): Testimony => ({ about, fact, value: text, by, entry })
  return {
    all: [
      said('subnet', lease.subnet),
      ...(place ? [] : [said('address', lease.address), ofInventory(plan.hosts[about]!)]),
      ...(lease.backend === type
        ? []
        : [
            said('backend', lease.backend),
            {
              about,
              fact: 'backend' as const,
              value: type,
              by: 'the inventory',
              entry: 'lab.overlay.Backend.Type',
            },
          ]),
      ...(lease.vtepMac && type === 'vxlan' ? [said('VTEP MAC', lease.vtepMac)] : []),
    ],
    strangers: [],
  }
}

function ofInventory({ name, address }: PlannedHost): Testimony {
  return { about: name, fact: 'address', value: address, by: 'the inventory', entry: `address ${address}` }
}

/** A host's routes into the pod network, each followed as the kernel would: next hop, its MAC, the host that has it. */
function ofPeers(plan: LabPlan, reading: HostReading, owners: ReadonlyMap<string, Name>): Testimonies {
  const { host, routes, neighbours, fdb } = reading
  const device = deviceOf(plan.lab)
  const all: Testimony[] = []
  const strangers: Stranger[] = []
  const followed = new Set<Entry>()
  for (const route of routes.filter((one) => leadsAway(plan, one))) {
    const subnet = textOf(route, 'dst')
    const gateway = textOf(route, 'gateway')
    const dev = textOf(route, 'dev')
    const neighbour = neighbours.find(
      (one) => dev === device && textOf(one, 'dst') === gateway && textOf(one, 'dev') === dev,
    )
    const lladdr = neighbour && textOf(neighbour, 'lladdr')
    const bridge = fdb.find(
      (one) => one['dst'] !== undefined && textOf(one, 'ifname') === dev && textOf(one, 'mac') === lladdr,
    )
    if (bridge) followed.add(bridge)
    const outer = dev === device ? bridge && textOf(bridge, 'dst') : gateway
    const routeText = `route ${subnet} via ${gateway} dev ${dev}`
    const place = outer === undefined ? undefined : hostAt(plan, outer)
    const about = place?.name ?? owners.get(subnet)
    if (!about) {
      const why = outer ? `${outer} is no host of the inventory` : `no host has ${subnet}`
      strangers.push({ by: host, entry: routeText, why })
      continue
    }
    const said = (fact: Fact, value: string, entry: string): Testimony => ({
      about,
      fact,
      value,
      by: host,
      entry,
    })
    all.push(said('subnet', subnet, routeText))
    if (lladdr && mac.safeParse(lladdr).success)
      all.push(said('VTEP MAC', lladdr, `neighbour ${gateway} dev ${dev} lladdr ${lladdr}`))
    if (outer && !place)
      all.push(
        said('address', outer, bridge ? `FDB entry ${lladdr} dev ${dev} dst ${outer}` : routeText),
        ofInventory(plan.hosts[about]!),
      )
  }
  for (const entry of fdb) {
    const outer = textOf(entry, 'dst')
    if (outer === '' || textOf(entry, 'ifname') !== device || followed.has(entry) || hostAt(plan, outer))
      continue
    const text = `FDB entry ${textOf(entry, 'mac')} dev ${device} dst ${outer}`
    strangers.push({ by: host, entry: text, why: `${outer} is no host of the inventory` })
  }
  return { all, strangers }
}

/** To a part of the pod network, by way of another host. */
function leadsAway({ lab }: LabPlan, route: Entry): boolean {
  const to = cidr.safeParse(textOf(route, 'dst'))
  if (!to.success || textOf(route, 'protocol') === 'kernel' || textOf(route, 'gateway') === '') return false
  const [network, part] = [toBlock(lab.overlay.Network), toBlock(to.data)]
  return part.length > network.length && contains(network, part.first) && contains(network, lastOf(part))
}

function hostAt(plan: LabPlan, address: string): PlannedHost | undefined {
  return Object.values(plan.hosts).find((host) => host.address === address)
}
