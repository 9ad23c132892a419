/** What every backend answers. There is one file a backend; `plan.ts` chooses. */
import type { Control } from '../inventory/inventory.ts'
import type { Cidr, IfName, Ip, Mac, Name } from '../inventory/values.ts'
import type { HostState } from '../modules/state.ts'
import type { Choice } from './datapath.ts'

/** A host as its peers know it. */
export interface Node {
  readonly name: Name
  readonly control: Control
  /** Its underlay address, where encapsulated packets go. */
  readonly address: Ip
  /** The NIC that carries the underlay. */
  readonly nic: IfName
  /** What that NIC reaches without a router, where somebody has looked. */
  readonly onLink?: readonly Cidr[]
  /** Its pods' subnet, P. */
  readonly subnet: Cidr
  /** P.0, which no pod has: the address of its VXLAN device, and the peers' next hop. */
  readonly first: Ip
  /** What its VXLAN device has, or would have. */
  readonly vtepMac: Mac
  /** What carries its packets where the backend is udp and overlab fills its kernel. */
  readonly datapath: Choice['datapath']
}

/** The end of a tunnel: the device that flannel makes for a backend that has one. */
export interface Vtep {
  readonly name: IfName
  /** P.0, the first address of the host's subnet: the peers' next hop. */
  readonly address: Ip
  readonly mac: Mac
}

/** One backend with a lab's settings taken in. All functions are pure and depend on their arguments only. */
export interface BackendPlan {
  /** Undefined where the backend has no device. */
  vtep(host: Node): Vtep | undefined
  /** What the backend leaves on this host, whoever puts it there: its tables in the order in which the kernel is told. */
  rows(host: Node, peers: readonly Node[]): HostState
  /** The links that flanneld fills; one that is in `rows` overlab makes before flanneld starts. */
  readonly lent: readonly IfName[]
}
