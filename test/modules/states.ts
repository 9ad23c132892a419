/** Arbitrary host states of the kernel tables, consistent in themselves: what is on a link needs that link. */
import fc from 'fast-check'
import type { Cidr, IfName, Ip, Mac } from '../../inventory/values.ts'
import { address } from '../../modules/address.ts'
import { fdbEntry } from '../../modules/fdb.ts'
import { bridgeLink, vethLink, vxlanLink } from '../../modules/link.ts'
import { tableOf, type Row } from '../../modules/module.ts'
import { neighbour } from '../../modules/neighbour.ts'
import { route } from '../../modules/route.ts'
import type { HostState } from '../../modules/state.ts'
import { sysctl } from '../../modules/sysctl.ts'

const mac = fc.integer({ min: 1, max: 6 }).map((n) => `0a:58:0a:f4:00:0${n}` as Mac)
const mtu = fc.constantFrom(1400, 1450)
const peers = [2, 3, 4, 5]
const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...values])

/** The link's own rows: tables of one link, or none. */
interface Part {
  readonly links: readonly Row[]
  readonly addresses: readonly Row[]
  readonly neighbours: readonly Row[]
  readonly fdb: readonly Row[]
  readonly sysctls: readonly Row[]
  readonly routes: readonly Row[]
}
const nothing: Part = { links: [], addresses: [], neighbours: [], fdb: [], sysctls: [], routes: [] }

/** A VXLAN device always has an address: without its last one it would lose its routes. */
function vxlanPart(id: number): fc.Arbitrary<Part> {
  const name = `flannel.${id}` as IfName
  return fc
    .record({
      port: fc.constantFrom(8472, 4789),
      mtu,
      mac,
      learning: fc.boolean(),
      addresses: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
      length: fc.constantFrom(32, 32, 24),
      neighbours: some(peers),
      fdb: some(peers),
      routes: some(peers),
      peerMac: mac,
      host: fc.integer({ min: 2, max: 4 }),
      sysctl: fc.option(fc.constantFrom(0, 1)),
    })
    .map((v) => ({
      links: [vxlanLink({ name, id, nic: 'eth0' as IfName, local: '192.168.77.1' as Ip, ...v })],
      addresses: v.addresses.map((n) =>
        address({ ip: `10.${id}.1.${n}` as Ip, length: v.length, dev: name }),
      ),
      neighbours: v.neighbours.map((n) =>
        neighbour({ ip: `10.${id}.${n}.0` as Ip, dev: name, mac: v.peerMac }),
      ),
      fdb: v.fdb.map((n) =>
        fdbEntry({ mac: `0a:58:0a:f4:00:1${n}` as Mac, dev: name, dst: `192.168.77.${v.host}` as Ip }),
      ),
      sysctls: v.sysctl === null ? [] : [sysctl(`net/ipv6/conf/${name}/accept_ra`, v.sysctl)],
      routes: v.routes.map((n) =>
        route({ to: `10.250.${n}.0/24` as Cidr, via: `10.${id}.${n}.0` as Ip, dev: name, onlink: true }),
      ),
    }))
}

const bridgePart: fc.Arbitrary<Part> = fc
  .record({ mtu, mac, addresses: fc.subarray([1, 2, 3], { minLength: 1 }), length: fc.constantFrom(24, 25) })
  .map((v) => ({
    ...nothing,
    links: [bridgeLink({ name: 'cni0' as IfName, ...v })],
    addresses: v.addresses.map((n) =>
      address({ ip: `10.9.1.${n}` as Ip, length: v.length, dev: 'cni0' as IfName }),
    ),
  }))

const vethPart: fc.Arbitrary<Part> = fc.record({ mtu, mac }).map((v) => ({
  ...nothing,
  links: [vethLink({ name: 'v0' as IfName, peer: 'v1' as IfName, ...v })],
}))

const nicPart: fc.Arbitrary<Part> = fc
  .record({
    routes: some(peers),
    host: fc.integer({ min: 2, max: 4 }),
    src: fc.boolean(),
    forward: fc.constantFrom(0, 1),
  })
  .map((v) => ({
    ...nothing,
    sysctls: [sysctl('net/ipv4/ip_forward', v.forward)],
    routes: v.routes.map((n) =>
      route({
        to: `10.251.${n}.0/24` as Cidr,
        via: `192.168.77.${v.host}` as Ip,
        dev: 'eth0' as IfName,
        ...(v.src ? { src: '192.168.77.1' as Ip } : {}),
      }),
    ),
  }))

const maybe = (part: fc.Arbitrary<Part>): fc.Arbitrary<Part> =>
  fc.oneof(fc.constant(nothing), { arbitrary: part, weight: 3 })

export const hostState: fc.Arbitrary<HostState> = fc
  .tuple(maybe(vxlanPart(1)), maybe(vxlanPart(2)), maybe(bridgePart), maybe(vethPart), nicPart)
  .map((parts) =>
    Object.fromEntries(
      (Object.keys(nothing) as (keyof Part)[]).map((table) => [
        table,
        tableOf(parts.flatMap((part) => part[table])),
      ]),
    ),
  )
