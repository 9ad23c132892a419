/** Inventory -> what every host's kernel must hold. Nothing here asks a host or a clock. */
import type { Control, Host, Inventory, Lab } from '../inventory/inventory.ts'
import type { Cidr, IfName, Ip, Mac, Name } from '../inventory/values.ts'
import { restoredAtBoot } from '../modules/boot.ts'
import { flannelRules } from '../modules/iptables.ts'
import { ownPart } from '../modules/lent.ts'
import { tableOf, type HostFacts } from '../modules/module.ts'
import { tableNames, type HostState } from '../modules/state.ts'
import type { BackendPlan, Node, Vtep } from './backend.ts'
import { datapathOf, type Choice, type KernelsWithFou } from './datapath.ts'
import { hostGw } from './host-gw.ts'
import { impairmentRows } from './impairments.ts'
import { hostMac, vtepMac } from './mac.ts'
import { podMtu } from './mtu.ts'
import { podRows, podsOf, type PlannedPod } from './pods.ts'
import { firstOf, gatewayOf } from './subnet.ts'
import { subnetEnv } from './subnet-env.ts'
import { udp } from './udp.ts'
import { vxlan } from './vxlan.ts'

export interface LabPlan {
  readonly lab: Lab
  /** By the host's name, in the inventory's order. */
  readonly hosts: Readonly<Record<string, PlannedHost>>
}

export interface PlannedHost {
  readonly name: Name
  /** Who fills its kernel. */
  readonly control: Control
  /** The underlay's NIC: its name, address and MAC. */
  readonly nic: IfName
  readonly address: Ip
  readonly mac: Mac
  /** The pods' subnet P, and P.1, their bridge and gateway. */
  readonly subnet: Cidr
  readonly gateway: Ip
  /** The backend's device, where it has one. */
  readonly vtep?: Vtep
  /** Of the pods, their bridge and the backend's device. */
  readonly mtu: number
  readonly pods: readonly PlannedPod[]
  /** Which iptables tools the host uses. */
  readonly iptables: Host['iptables']
  /** Where the backend is udp and overlab fills the kernel: what carries the packets, and why that. */
  readonly datapath?: Choice
  /** What its kernel shall hold in the end, whoever puts it there. */
  readonly state: HostState
  /** Where flanneld fills it: the links that flanneld fills, and what overlab puts there itself. */
  readonly lent?: readonly IfName[]
  readonly beside?: HostState
  /** What flanneld would have written to /run/flannel/subnet.env. */
  readonly subnetEnv: string
}

/** The only NIC of a machine that overlab makes, as its driver names it; stands for that of a host nobody has looked at. */
const usualNic = 'eth0' as IfName

/**
 * A host's rows come from the lab's settings, from the host, and row by row from each peer; so a host that joins
 * or leaves adds or takes away on the others the rows that name it, and changes none. Throws where two hosts
 * would have the same VTEP MAC (only explicit ones can) or a host-gw peer is not on the link.
 *
 * @param kernels for `datapath: auto`: what is known of the hosts' kernels
 */
export function planLab(inventory: Inventory, kernels: KernelsWithFou = {}): LabPlan {
  const { lab, hosts } = inventory
  const backend = backendOf(lab)
  const nodes = hosts.map((host) => nodeOf(host, kernels))
  checkVteps(nodes)
  return {
    lab,
    hosts: Object.fromEntries(
      hosts.map((host, index) => [host.name, planHost(lab, backend, host, nodes[index]!, nodes, kernels)]),
    ),
  }
}

function planHost(
  lab: Lab,
  backend: BackendPlan,
  host: Host,
  node: Node,
  nodes: readonly Node[],
  kernels: KernelsWithFou,
): PlannedHost {
  const { Network, Backend } = lab.overlay
  const mtu = podMtu(Backend, lab.mtu)
  const pods = podsOf(host)
  const rules = { iptables: tableOf(flannelRules({ network: Network, subnet: host.subnet })) }
  const vtep = backend.vtep(node)
  const peers = nodes.filter((other) => other !== node)
  const below = podRows(host.subnet, pods, mtu)
  const links = impairmentRows(node, peers, host.impairments)
  const boot = host.persist ? { boot: tableOf([restoredAtBoot]) } : {}
  const state = merge([below, backend.rows(node, peers), rules, links, boot])
  return {
    name: host.name,
    control: host.control,
    nic: node.nic,
    address: host.address,
    mac: hostMac(host.name),
    subnet: host.subnet,
    gateway: gatewayOf(host.subnet),
    ...(vtep ? { vtep } : {}),
    mtu,
    pods,
    iptables: host.iptables,
    ...(Backend.Type === 'udp' && host.control === 'static' && { datapath: datapathOf(host, kernels) }),
    state,
    ...(host.control === 'flanneld' && { lent: backend.lent, beside: ownPart(state, backend.lent) }),
    subnetEnv: subnetEnv(Network, host.subnet, mtu),
  }
}

/** What the modules must know of a planned host. */
export function factsOf({ nic, iptables, lent }: PlannedHost): HostFacts {
  return { nic, iptables, ...(lent && { lent }) }
}

/** What overlab puts on a host: all of its state, or what flanneld does not. */
export function pushedOf({ state, beside }: PlannedHost): HostState {
  return beside ?? state
}

function backendOf(lab: Lab): BackendPlan {
  const backend = lab.overlay.Backend
  switch (backend.Type) {
    case 'vxlan':
      return vxlan(lab, backend)
    case 'host-gw':
      return hostGw(lab)
    case 'udp':
      return udp(lab, backend)
  }
}

/** A host as its peers know it. */
export function nodeOf(host: Host, kernels?: KernelsWithFou): Node {
  const { name, control, address, subnet, onLink, nic = usualNic } = host
  return {
    name,
    control,
    address,
    nic,
    ...(onLink && { onLink }),
    subnet,
    first: firstOf(subnet),
    vtepMac: host.vtepMac ?? vtepMac(name),
    datapath: datapathOf(host, kernels).datapath,
  }
}

/** Two hosts with one VTEP MAC would share one FDB entry, and one of them would get nothing. */
function checkVteps(nodes: readonly Node[]): void {
  const owners = new Map<Mac, Name>()
  for (const { name, vtepMac: mac } of nodes) {
    const owner = owners.get(mac)
    if (owner) throw new Error(`${name}: ${owner} has the VTEP MAC ${mac} too; give ${name} another vtep_mac`)
    owners.set(mac, name)
  }
}

/** One state of several, table by table, in the order of `tableNames`. */
function merge(states: readonly HostState[]): HostState {
  return Object.fromEntries(
    tableNames.flatMap((table) => {
      const rows = Object.fromEntries(states.flatMap((state) => Object.entries(state[table] ?? {})))
      return Object.keys(rows).length > 0 ? [[table, rows]] : []
    }),
  )
}
