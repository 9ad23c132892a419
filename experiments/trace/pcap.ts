/** tcpdump's files (pcap-savefile(5)) -> packets. Two link types: a NIC's Ethernet, and `-i any` (LINUX_SLL2). */

export interface Frame {
  /** Seconds since 1970. */
  readonly time: number
  readonly first: 'ethernet' | 'ipv4' | 'arp'
  readonly bytes: Uint8Array
  /** Of `-i any` only: which link, and whether the packet left by it. */
  readonly link?: { readonly index: number; readonly out: boolean }
}

const ethernetType = 1
const sll2Type = 276

/**
 * A file that ends within a packet (tcpdump was stopped) yields the packets before it; an empty one yields none.
 * Throws where it is no pcap file or of another link type.
 */
export function readPcap(file: Uint8Array): Frame[] {
  if (file.length === 0) return []
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < 24) throw new Error(`a capture of ${file.length} bytes is no pcap file`)
  const magic = view.getUint32(0, true)
  const [little, fraction] = magics[magic] ?? [true, 0]
  if (fraction === 0) throw new Error(`a capture that begins with 0x${magic.toString(16)} is no pcap file`)
  const type = view.getUint32(20, little)
  if (type !== ethernetType && type !== sll2Type)
    throw new Error(`a capture of link type ${type} cannot be read`)
  const frames: Frame[] = []
  for (let at = 24; at + 16 <= file.length;) {
    const length = view.getUint32(at + 8, little)
    const end = at + 16 + length
    if (end > file.length) break
    const time = view.getUint32(at, little) + view.getUint32(at + 4, little) / fraction
    const frame =
      type === ethernetType ? ethernet(file.subarray(at + 16, end)) : cooked(file.subarray(at + 16, end))
    if (frame) frames.push({ time, ...frame })
    at = end
  }
  return frames
}

/** Magic, read as little-endian -> is the file little-endian, and parts of a second. */
const magics: Readonly<Record<number, readonly [boolean, number]>> = {
  0xa1b2c3d4: [true, 1e6],
  0xa1b23c4d: [true, 1e9],
  0xd4c3b2a1: [false, 1e6],
  0x4d3cb2a1: [false, 1e9],
}

function ethernet(bytes: Uint8Array): Omit<Frame, 'time'> {
  return { first: 'ethernet', bytes }
}

/** protocol 2, reserved 2, index 4, ARPHRD 2, packet type 1, address length 1, address 8; then the packet without its link header. */
function cooked(bytes: Uint8Array): Omit<Frame, 'time'> | undefined {
  if (bytes.length < 20) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const protocol = view.getUint16(0)
  if (protocol !== 0x0800 && protocol !== 0x0806) return undefined
  return {
    first: protocol === 0x0800 ? 'ipv4' : 'arp',
    bytes: bytes.subarray(20),
    // PACKET_OUTGOING
    link: { index: view.getUint32(4), out: bytes[10] === 4 },
  }
}
