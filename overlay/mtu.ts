/** How many bytes a backend leaves to the pods' packets. */
import type { Backend } from '../inventory/inventory.ts'
import { overheads } from '../inventory/mtu.ts'

/** The MTU of the pods, of cni0 and of the backend's device. `nic` is the MTU of the machines' NIC. */
export function podMtu(backend: Backend, nic: number): number {
  // flannel takes vxlan's `MTU` as the underlay's and subtracts its headers from it too: 1400 gives a device of 1350.
  const outer = backend.Type === 'vxlan' ? (backend.MTU ?? nic) : nic
  return outer - overheads[backend.Type]
}
