import type { BackendType } from './inventory.ts'

/** How many bytes of each packet on the NIC a backend takes for its headers. The NIC's MTU counts from its own IP header on. */
export const overheads: Readonly<Record<BackendType, number>> = {
  // outer IPv4 20 + UDP 8 + VXLAN 8 + inner Ethernet 14
  vxlan: 50,
  'host-gw': 0,
  // outer IPv4 20 + UDP 8; the payload is the bare inner packet
  udp: 28,
}
