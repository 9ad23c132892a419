/** How many bytes a backend leaves to the pods' packets. The NIC's MTU counts from its own IP header on. */
import type { Backend } from '../inventory/inventory.ts'

/** Outer IPv4 20 + UDP 8 + VXLAN 8 + inner Ethernet 14. */
export const vxlanOverhead = 50
/** Outer IPv4 20 + UDP 8; the payload is the bare inner packet. */
export const udpOverhead = 28

/** The MTU of the pods, of cni0 and of the backend's device. `nic` is the MTU of the machines' NIC. */
export function podMtu(backend: Backend, nic: number): number {
  switch (backend.Type) {
    case 'vxlan':
      // flannel takes `MTU` as the underlay's and subtracts its headers from it too: 1400 gives a device of 1350.
      return (backend.MTU ?? nic) - vxlanOverhead
    case 'host-gw':
      return nic
    case 'udp':
      return nic - udpOverhead
  }
}
