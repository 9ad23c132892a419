/** The `lab` block: flannel's defaults filled in, and its values checked against each other. */
import type { z } from 'zod'
import type { Backend, Control, Datapath, MachineKind } from './inventory.ts'
import { blockAt, contains, lastOf, overlap, toBlock, toCidr, toIp, toNumber, unusable } from './ipv4.ts'
import type { Block } from './ipv4.ts'
import type { Report } from './mistakes.ts'
import { overheads } from './mtu.ts'
import { lab as labSchema, leastMtu } from './schema.ts'
import { valueAt } from './structure.ts'
import type { Name } from './values.ts'

/** What is known of a lab; what the file has wrong is missing. */
export interface KnownLab {
  readonly name: Name | undefined
  readonly underlay: Block | undefined
  readonly mtu: number | undefined
  readonly machine: MachineKind | undefined
  readonly control: Control | undefined
  readonly datapath: Datapath | undefined
  readonly network: Block | undefined
  readonly subnets: Subnets | undefined
  readonly backend: Backend | undefined
}

/** The subnets that may be given out. */
export interface Subnets {
  readonly length: number
  /** The first addresses of the first and of the last of them. */
  readonly min: number
  readonly max: number
  readonly count: number
}

/** Pure. `raw` is the lab block as it was read, with the stack's overrides in it. */
export function completeLab(raw: unknown, report: Report): KnownLab {
  const shape = labSchema.shape
  const name = read(shape.name, raw, 'name')
  const underlay = checkUnderlay(block(read(shape.underlay, raw, 'underlay')), report)
  const mtu = read(shape.mtu, raw, 'mtu', 1500)
  const machine = read(shape.machine, raw, 'machine', 'namespace')
  const control = read(shape.control, raw, 'control', 'static')
  const datapath = read(shape.datapath, raw, 'datapath', 'auto')
  const overlay = valueAt(raw, ['overlay'])
  const network = checkNetwork(block(read(shape.overlay.shape.Network, overlay, 'Network')), underlay, report)
  const subnets = network && checkSubnets(network, overlay, report)
  const backend = readBackend(overlay)
  checkMtu(mtu, backend, report)
  return { name, underlay, mtu, machine, control, datapath, network, subnets, backend }
}

/** The value at a key if it is of the right form; the default where it is missing; undefined where it is wrong. */
function read<S extends z.ZodType>(
  schema: S,
  map: unknown,
  key: string,
  missing?: NoInfer<z.output<S>>,
): NonNullable<z.output<S>> | undefined {
  const value = valueAt(map, [key])
  if (value === undefined) return missing ?? undefined
  const result = schema.safeParse(value)
  return result.success ? (result.data ?? undefined) : undefined
}

function block(prefix: Parameters<typeof toBlock>[0] | undefined): Block | undefined {
  return prefix === undefined ? undefined : toBlock(prefix)
}

function checkUnderlay(underlay: Block | undefined, report: Report): Block | undefined {
  const path = ['lab', 'underlay']
  if (!underlay || !checkPrefix(underlay, path, report)) return undefined
  if (underlay.length > 30) {
    report({
      path,
      what: `${toCidr(underlay)} has no room for a machine and the controller`,
      todo: 'use a /30 or a shorter prefix',
    })
    return undefined
  }
  return underlay
}

function checkPrefix(prefix: Block, path: string[], report: Report): boolean {
  const range = unusable(toCidr(prefix))
  if (range !== undefined) {
    report({
      path,
      what: `${toCidr(prefix)} is a network of the kind ${range}`,
      todo: 'use a private one such as 10.244.0.0/16 or 192.168.77.0/24',
    })
  } else if (prefix.length < 8) {
    report({ path, what: `${toCidr(prefix)} is too wide`, todo: 'use a /8 or a longer prefix' })
  } else return true
  return false
}

/** flannel's rules (pkg/subnet/config.go): at least four subnets, of at least four addresses each. */
function checkNetwork(
  network: Block | undefined,
  underlay: Block | undefined,
  report: Report,
): Block | undefined {
  const path = ['lab', 'overlay', 'Network']
  if (!network || !checkPrefix(network, path, report)) return undefined
  if (network.length > 28) {
    report({
      path,
      what: `${toCidr(network)} is too small for four subnets`,
      todo: 'use a /28 or a shorter prefix',
    })
    return undefined
  }
  if (underlay && overlap(network, underlay)) {
    report({
      path,
      what: `${toCidr(network)} overlaps the underlay ${toCidr(underlay)}`,
      todo: 'choose two networks that have no address in common',
    })
  }
  return network
}

function checkSubnets(network: Block, overlay: unknown, report: Report): Subnets | undefined {
  const shape = labSchema.shape.overlay.shape
  const standard = network.length <= 22 ? 24 : network.length + 2
  const length = read(shape.SubnetLen, overlay, 'SubnetLen', standard)
  if (length === undefined) return undefined
  if (length < network.length + 2) {
    report({
      path: ['lab', 'overlay', 'SubnetLen'],
      what: `${toCidr(network)} has no room for four subnets of /${length}`,
      todo: `use ${network.length + 2} to 30`,
    })
    return undefined
  }
  const size = 2 ** (32 - length)
  const bound = (key: 'SubnetMin' | 'SubnetMax', standard: number): number | undefined => {
    const address = read(shape[key], overlay, key, toIp(standard) as z.infer<(typeof shape)[typeof key]>)
    if (address === undefined) return undefined
    const number = toNumber(address)
    const path = ['lab', 'overlay', key]
    if (!contains(network, number)) {
      const todo = `use an address from ${toIp(network.first)} to ${toIp(lastOf(network))}`
      report({ path, what: `${address} is not in the Network ${toCidr(network)}`, todo })
    } else if (number % size !== 0) {
      const what = `${address} is not the first address of a /${length}`
      report({ path, what, todo: `use ${toIp(number - (number % size))}` })
    } else return number
    return undefined
  }
  // The first subnet is left out by flannel: its first address is the Network's own.
  const min = bound('SubnetMin', network.first + size)
  const max = bound('SubnetMax', lastOf(network) + 1 - size)
  if (min === undefined || max === undefined) return undefined
  if (min > max) {
    const given = valueAt(overlay, ['SubnetMax']) === undefined ? 'SubnetMin' : 'SubnetMax'
    const what = `SubnetMin ${toIp(min)} comes after SubnetMax ${toIp(max)}`
    report({ path: ['lab', 'overlay', given], what, todo: 'exchange them, or leave one out' })
    return undefined
  }
  return { length, min, max, count: (max - min) / size + 1 }
}

/** The n-th subnet, counted from 1. */
export function subnetAt(subnets: Subnets, number: number): Block {
  return blockAt(subnets.min + (number - 1) * 2 ** (32 - subnets.length), subnets.length)
}

/** flannel's defaults for each backend; no `Backend` at all is udp. */
function readBackend(overlay: unknown): Backend | undefined {
  const raw = valueAt(overlay, ['Backend'])
  const result = labSchema.shape.overlay.shape.Backend.safeParse(raw)
  return result.success ? completeBackend(result.data ?? { Type: 'udp' }) : undefined
}

/** A backend with flannel's defaults for what is not given. */
export function completeBackend(
  given: NonNullable<z.infer<typeof labSchema>['overlay']['Backend']>,
): Backend {
  switch (given.Type) {
    case 'vxlan':
      return {
        Type: 'vxlan',
        VNI: given.VNI ?? 1,
        Port: given.Port ?? 8472,
        ...(given.MTU === undefined ? {} : { MTU: given.MTU }),
        DirectRouting: given.DirectRouting ?? false,
      }
    case 'host-gw':
      return { Type: 'host-gw' }
    case 'udp':
      return { Type: 'udp', Port: given.Port ?? 8285 }
  }
}

function checkMtu(mtu: number | undefined, backend: Backend | undefined, report: Report): void {
  if (mtu === undefined || backend === undefined) return
  const overhead = overheads[backend.Type]
  const own = backend.Type === 'vxlan' ? backend.MTU : undefined
  if (own !== undefined && own > mtu) {
    const what = `${own} is more than the machines' NIC carries (lab.mtu ${mtu})`
    report({ path: ['lab', 'overlay', 'Backend', 'MTU'], what, todo: `use ${mtu} or less, or raise lab.mtu` })
    return
  }
  const outer = own ?? mtu
  if (outer - overhead < leastMtu) {
    report({
      path: own === undefined ? ['lab', 'mtu'] : ['lab', 'overlay', 'Backend', 'MTU'],
      what: `${outer} leaves ${outer - overhead} bytes to the pods' packets, since ${backend.Type} takes ${overhead}; IPv4 hosts must accept ${leastMtu}`,
      todo: `use ${leastMtu + overhead} or more`,
    })
  }
}
