/** The maps of udp.bpf.c as bytes: how bpftool takes them and how it prints them. */
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { parseAnswer } from '../../inventory/json.ts'
import type { Cidr, Ip } from '../../inventory/values.ts'
import { configPath, peersPath } from './names.ts'

/** `struct config` of udp.bpf.c. */
export interface UdpConfig {
  readonly port: number
  readonly local: Ip
  /** The host's own pods. */
  readonly subnet: Cidr
}

/** Names of the counters in overlab_stats, in the order of udp.bpf.c's `enum counter`. */
export const counters = [
  'encapsulated',
  'decapsulated',
  'no peer',
  'not configured',
  'encapsulation failed',
  'payload invalid',
  'source invalid',
  'destination other',
  'decapsulation failed',
] as const
export type Counter = (typeof counters)[number]

export function configUpdate({ port, local, subnet }: UdpConfig): string {
  const [network, length] = split(subnet)
  const mask = ipaddr.IPv4.subnetMaskFromPrefixLength(length).toByteArray()
  const value = [...bytesOf(local), ...bytesOf(network), ...mask, port >> 8, port & 255, 0, 0]
  return `map update pinned ${configPath} key hex 00 00 00 00 value hex ${hex(value)}`
}

export function peerUpdate(subnet: string, address: string): string {
  return `map update pinned ${peersPath} key hex ${hex(prefixKey(subnet))} value hex ${hex(bytesOf(address))}`
}

export function peerDelete(subnet: string): string {
  return `map delete pinned ${peersPath} key hex ${hex(prefixKey(subnet))}`
}

/** Undefined while nothing was written to it (port 0). */
export function readConfig(dump: string): UdpConfig | undefined {
  const value = entries(dump)[0]?.value
  if (!value || value.length < 14) return undefined
  const port = value[12]! * 256 + value[13]!
  if (port === 0) return undefined
  const mask = ipaddr.fromByteArray(value.slice(8, 12)) as ipaddr.IPv4
  return {
    port,
    local: address(value.slice(0, 4)) as Ip,
    subnet: `${address(value.slice(4, 8))}/${mask.prefixLengthFromSubnetMask() ?? '?'}` as Cidr,
  }
}

/** Inner subnet and outer address of every peer, by subnet. */
export function readPeers(dump: string): (readonly [Cidr, Ip])[] {
  return entries(dump)
    .map(({ key, value }) => ({ length: key[0]!, network: key.slice(4, 8), value }))
    .sort((a, b) => number(a.network) - number(b.network) || a.length - b.length)
    .map(
      ({ length, network, value }) =>
        [`${address(network)}/${length}` as Cidr, address(value) as Ip] as const,
    )
}

/** The counters, summed over the CPUs. */
export function readCounters(dump: string): Record<Counter, number> {
  const sums = Object.fromEntries(counters.map((counter) => [counter, 0])) as Record<Counter, number>
  for (const { key, values } of parse(perCpu, dump)) {
    const counter = counters[key[0] ?? -1]
    if (counter) sums[counter] = values.reduce((sum, { value }) => sum + littleEndian(value), 0)
  }
  return sums
}

/** LPM key: the length as a little-endian u32, which every host of ours is, then the network's first address. */
function prefixKey(subnet: string): number[] {
  const [network, length] = split(subnet)
  return [length, 0, 0, 0, ...bytesOf(network)]
}

function split(subnet: string): [string, number] {
  const [network = '', length = ''] = subnet.split('/')
  return [network, Number(length)]
}

function entries(dump: string): { key: number[]; value: number[] }[] {
  return parse(plain, dump)
}

/** bpftool prints bytes as `0x0a`. */
const bytes = z.array(
  z
    .string()
    .regex(/^0x[0-9a-f]{1,2}$/i)
    .transform(Number),
)
const plain = z.object({ key: bytes, value: bytes })
const perCpu = z.object({ key: bytes, values: z.array(z.object({ value: bytes })) })

/** bpftool prints an object with `error` where it could not read a map. */
function parse<T>(entry: z.ZodType<T>, dump: string): T[] {
  return dump.trim() === '' ? [] : parseAnswer(z.array(entry), dump, '`bpftool map dump`')
}

function bytesOf(address: string): number[] {
  return ipaddr.IPv4.parse(address).toByteArray()
}

function address(bytes: number[]): string {
  return ipaddr.fromByteArray(bytes).toString()
}

function number(bytes: number[]): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0)
}

function littleEndian(bytes: number[]): number {
  return number([...bytes].reverse())
}

function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
}
