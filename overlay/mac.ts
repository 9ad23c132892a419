/**
 * MAC addresses that a host has before it exists. They depend on that host alone, so that a reboot, a rebuild or
 * another host's coming and going never makes a peer's neighbour or FDB entry wrong (flanneld's are random, and
 * change at every reboot).
 */
import { createHash } from 'node:crypto'
import type { Ip, Mac, Name } from '../inventory/values.ts'

/** The MAC of a machine's NIC. */
export function hostMac(host: Name): Mac {
  return derived('eth0', host)
}

/** The MAC of a machine's VXLAN device, where the inventory gives none. */
export function vtepMac(host: Name): Mac {
  return derived('vtep', host)
}

/** `0a:58` and the four bytes of the address, as the CNI bridge plugin names a bridge and the pods' ends. */
export function addressMac(address: Ip): Mac {
  return ['0a', '58', ...address.split('.').map((octet) => hex(Number(octet)))].join(':') as Mac
}

/** 46 bits of sha256; the two lowest bits of the first byte say `locally administered, unicast`. */
function derived(role: string, host: Name): Mac {
  const bytes = createHash('sha256').update(`${role} ${host}`).digest().subarray(0, 6)
  bytes[0] = (bytes[0]! & 0xfc) | 0x02
  return [...bytes].map(hex).join(':') as Mac
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
