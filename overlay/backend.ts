/** What every backend answers. There is one file a backend; `plan.ts` chooses. */
import type { Cidr, IfName, Ip, Mac, Name } from '../inventory/values.ts'
import type { HostState } from '../modules/state.ts'

/** A host as its peers know it. */
export interface Node {
  readonly name: Name
  /** Its underlay address, where encapsulated packets go. */
  readonly address: Ip
  /** The NIC that carries the underlay. */
  readonly nic: IfName
  /** Its pods' subnet, P. */
  readonly subnet: Cidr
  /** P.0, which no pod has: the address of its VXLAN device, and the peers' next hop. */
  readonly first: Ip
  /** What its VXLAN device has, or would have. */
  readonly vtepMac: Mac
}

/** The end of a tunnel: the device that flannel makes for a backend that has one. */
export interface Vtep {
  readonly name: IfName
  /** P.0, the first address of the host's subnet: the peers' next hop. */
  readonly address: Ip
  readonly mac: Mac
}

/** One backend with a lab's settings taken in. Both functions are pure and depend on their arguments only. */
export interface BackendPlan {
  /** Undefined where the backend has no device. */
  vtep(host: Node): Vtep | undefined
  /** What the backend puts on this host, its tables in the order in which the kernel is told. */
  rows(host: Node, peers: readonly Node[]): HostState
}
