/** Real packets, as tcpdump recorded them on three labs, field by field. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decode, type Layer, type TunnelPorts } from '../../../experiments/trace/packet.ts'
import cases from './packets.json' with { type: 'json' }

interface Case {
  readonly name: string
  readonly file: string
  readonly first: 'ethernet' | 'ipv4'
  readonly ports: TunnelPorts
  /** Only so many bytes of it. */
  readonly cut?: number
  /** The byte at this place is another one. */
  readonly flip?: number
  readonly layers: readonly Layer[]
}

function bytesOf({ file, cut, flip }: Pick<Case, 'file' | 'cut' | 'flip'>): Uint8Array {
  const hex = readFileSync(join(import.meta.dirname, 'packets', `${file}.hex`), 'utf8').replaceAll(/\s/g, '')
  const bytes = Buffer.from(hex, 'hex').subarray(0, cut)
  if (flip !== undefined) bytes[flip]! ^= 0xff
  return bytes
}

test.each(cases as Case[])('$name', (one) => {
  expect(decode(bytesOf(one), one.first, one.ports)).toEqual(one.layers)
})

test('whatever the bytes are, it ends, and never reads beyond them', () => {
  const start = bytesOf({ file: 'vxlan-request' })
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(start.length),
      fc.constantFrom('ethernet' as const, 'ipv4' as const, 'arp' as const),
      (tail, length, first) => {
        const layers = decode(Buffer.concat([start.subarray(0, length), tail]), first, { vxlan: 8472 })
        expect(JSON.stringify(layers)).not.toMatch(/undefined|NaN/)
      },
    ),
  )
})
