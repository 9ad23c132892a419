import { describe, expect, test } from 'vitest'
import { readPcap } from '../../../experiments/trace/pcap.ts'

/** A pcap file of one packet, by hand from pcap-savefile(5). */
function file(options: { little?: boolean; magic?: number; type?: number; packet?: number[] } = {}): Buffer {
  const { little = true, magic = 0xa1b2c3d4, type = 1, packet = [1, 2, 3] } = options
  const words = [magic, 0x00040002, 0, 0, 256, type, 1000, 500_000, packet.length, packet.length]
  const bytes = Buffer.alloc(words.length * 4)
  words.forEach((word, at) =>
    little ? bytes.writeUInt32LE(word, at * 4) : bytes.writeUInt32BE(word, at * 4),
  )
  return Buffer.concat([bytes, Buffer.from(packet)])
}

describe('a file of one packet', () => {
  test.each([
    ['little-endian', file(), 1000.5],
    ['big-endian', file({ little: false }), 1000.5],
    ['in nanoseconds', file({ magic: 0xa1b23c4d }), 1000.0005],
  ])('%s', (_, bytes, time) => {
    expect(readPcap(bytes)).toEqual([{ time, first: 'ethernet', bytes: Buffer.from([1, 2, 3]) }])
  })

  test('of -i any: the link, and whether the packet left by it', () => {
    const cooked = (protocol: number[], kind: number) => [
      ...protocol,
      0,
      0,
      0,
      0,
      0,
      4,
      0,
      1,
      kind,
      6,
      1,
      2,
      3,
      4,
      5,
      6,
      0,
      0,
      0x45,
    ]
    const read = (packet: number[]) => readPcap(file({ type: 276, packet }))
    expect(read(cooked([8, 0], 4))).toEqual([
      { time: 1000.5, first: 'ipv4', bytes: Buffer.from([0x45]), link: { index: 4, out: true } },
    ])
    expect(read(cooked([8, 0], 0))[0]?.link?.out).toBe(false)
    expect(read(cooked([8, 6], 1))[0]?.first).toBe('arp')
    expect(read(cooked([0x86, 0xdd], 0))).toEqual([])
    expect(read([8, 0, 0])).toEqual([])
  })
})

test('no packets in an empty file, and none in one that ends within its first', () => {
  expect(readPcap(Buffer.alloc(0))).toEqual([])
  expect(readPcap(file().subarray(0, 24))).toEqual([])
  expect(readPcap(file().subarray(0, -1))).toEqual([])
})

test('what is no capture, or of another link, is an error', () => {
  expect(() => readPcap(Buffer.from('tcpdump: eth9: No such device'))).toThrow('is no pcap file')
  expect(() => readPcap(Buffer.from('short'))).toThrow('a capture of 5 bytes is no pcap file')
  expect(() => readPcap(file({ type: 113 }))).toThrow('link type 113')
})
