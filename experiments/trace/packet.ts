/** Bytes of a captured packet -> its headers, field by field. Reads what this overlay sends, and no more. */

export type Protocol = 'ethernet' | 'arp' | 'ipv4' | 'udp' | 'vxlan' | 'icmp' | 'payload' | 'cut'

/** One header. Fields stand in the order of the wire; addresses as text, counts as numbers. */
export interface Layer {
  readonly protocol: Protocol
  readonly fields: Readonly<Record<string, string | number>>
}

/** Where a UDP payload is a packet again; a lab's backend has one of the two. */
export interface TunnelPorts {
  readonly vxlan?: number
  /** flannel's udp backend: the payload is a bare IPv4 packet. */
  readonly udp?: number
}

/** Headers from the outside in. A packet that was cut ends with a layer `cut` that says how many bytes are left. */
export function decode(bytes: Uint8Array, first: 'ethernet' | 'ipv4' | 'arp', ports: TunnelPorts): Layer[] {
  switch (first) {
    case 'ethernet':
      return ethernet(bytes, ports)
    case 'ipv4':
      return ipv4(bytes, ports)
    case 'arp':
      return arp(bytes)
  }
}

function ethernet(bytes: Uint8Array, ports: TunnelPorts): Layer[] {
  if (bytes.length < 14) return cut(bytes)
  const type = u16(bytes, 12)
  const header: Layer = {
    protocol: 'ethernet',
    fields: { destination: mac(bytes, 0), source: mac(bytes, 6), type: hex(type, 4) },
  }
  const rest = bytes.subarray(14)
  return [header, ...(type === 0x0800 ? ipv4(rest, ports) : type === 0x0806 ? arp(rest) : payload(rest))]
}

function arp(bytes: Uint8Array): Layer[] {
  if (bytes.length < 28) return cut(bytes)
  const operation = u16(bytes, 6)
  return [
    {
      protocol: 'arp',
      fields: {
        operation: operation === 1 ? 'request' : operation === 2 ? 'reply' : operation,
        'sender MAC': mac(bytes, 8),
        'sender address': address(bytes, 14),
        'target MAC': mac(bytes, 18),
        'target address': address(bytes, 24),
      },
    },
  ]
}

function ipv4(bytes: Uint8Array, ports: TunnelPorts): Layer[] {
  if (bytes.length < 20) return cut(bytes)
  const length = (bytes[0]! & 15) * 4
  if (bytes[0]! >> 4 !== 4 || length < 20 || bytes.length < length) return payload(bytes)
  const flags = u16(bytes, 6)
  const protocol = bytes[9]!
  const header: Layer = {
    protocol: 'ipv4',
    fields: {
      'header length': length,
      TOS: hex(bytes[1]!, 2),
      'total length': u16(bytes, 2),
      id: u16(bytes, 4),
      flags: [...(flags & 0x4000 ? ['DF'] : []), ...(flags & 0x2000 ? ['MF'] : [])].join(' ') || 'none',
      'fragment offset': (flags & 0x1fff) * 8,
      TTL: bytes[8]!,
      protocol: protocols[protocol] ?? protocol,
      checksum: `${hex(u16(bytes, 10), 4)}${checksum(bytes.subarray(0, length)) === 0 ? '' : ' wrong'}`,
      source: address(bytes, 12),
      destination: address(bytes, 16),
    },
  }
  const rest = bytes.subarray(length)
  // Of a later fragment, what follows is the middle of something.
  if (flags & 0x1fff) return [header, ...payload(rest)]
  return [header, ...(protocol === 17 ? udp(rest, ports) : protocol === 1 ? icmp(rest) : payload(rest))]
}

const protocols: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP' }

function udp(bytes: Uint8Array, ports: TunnelPorts): Layer[] {
  if (bytes.length < 8) return cut(bytes)
  const destination = u16(bytes, 2)
  const header: Layer = {
    protocol: 'udp',
    fields: {
      'source port': u16(bytes, 0),
      'destination port': destination,
      length: u16(bytes, 4),
      checksum: u16(bytes, 6) === 0 ? '0x0000 (none)' : hex(u16(bytes, 6), 4),
    },
  }
  const rest = bytes.subarray(8)
  if (destination === ports.vxlan) return [header, ...vxlan(rest, ports)]
  if (destination === ports.udp) return [header, ...ipv4(rest, ports)]
  return [header, ...payload(rest)]
}

/** RFC 7348: flags, 24 bits reserved, VNI, 8 bits reserved. */
function vxlan(bytes: Uint8Array, ports: TunnelPorts): Layer[] {
  if (bytes.length < 8) return cut(bytes)
  const vni = (u16(bytes, 4) << 8) | bytes[6]!
  return [
    { protocol: 'vxlan', fields: { flags: hex(bytes[0]!, 2), VNI: vni } },
    ...ethernet(bytes.subarray(8), ports),
  ]
}

function icmp(bytes: Uint8Array): Layer[] {
  if (bytes.length < 8) return cut(bytes)
  const type = bytes[0]!
  const isEcho = type === 0 || type === 8
  const layer: Layer = {
    protocol: 'icmp',
    fields: {
      type: icmpTypes[type] ?? type,
      code: bytes[1]!,
      checksum: hex(u16(bytes, 2), 4),
      ...(isEcho ? { id: u16(bytes, 4), sequence: u16(bytes, 6) } : {}),
    },
  }
  return [layer, ...payload(bytes.subarray(8))]
}

const icmpTypes: Readonly<Record<number, string>> = {
  0: 'echo reply',
  3: 'destination unreachable',
  5: 'redirect',
  8: 'echo request',
  11: 'time exceeded',
}

function payload(bytes: Uint8Array): Layer[] {
  return bytes.length === 0 ? [] : [{ protocol: 'payload', fields: { bytes: bytes.length } }]
}

function cut(bytes: Uint8Array): Layer[] {
  return [{ protocol: 'cut', fields: { bytes: bytes.length } }]
}

/** RFC 1071; 0 where a header's checksum is right. */
function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += u16(bytes, at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

function mac(bytes: Uint8Array, at: number): string {
  return [...bytes.subarray(at, at + 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
}

function address(bytes: Uint8Array, at: number): string {
  return bytes.subarray(at, at + 4).join('.')
}
