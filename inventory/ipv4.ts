/** Arithmetic on IPv4 addresses and prefixes, as whole numbers from 0 to 2^32 - 1. */
import ipaddr from 'ipaddr.js'
import type { Cidr, Ip } from './values.ts'

/** A prefix as its first address, its size in addresses and its length in bits. */
export interface Block {
  readonly first: number
  readonly size: number
  readonly length: number
}

export function toNumber(address: Ip): number {
  return ipaddr.IPv4.parse(address).octets.reduce((sum, octet) => sum * 256 + octet, 0)
}

export function toIp(number: number): Ip {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.') as Ip
}

export function toBlock(prefix: Cidr): Block {
  const [address, length] = ipaddr.IPv4.parseCIDR(prefix)
  return blockAt(toNumber(address.toString() as Ip), length)
}

export function blockAt(first: number, length: number): Block {
  return { first, size: 2 ** (32 - length), length }
}

export function toCidr(block: Block): Cidr {
  return `${toIp(block.first)}/${block.length}` as Cidr
}

export function lastOf(block: Block): number {
  return block.first + block.size - 1
}

export function contains(block: Block, address: number): boolean {
  return address >= block.first && address <= lastOf(block)
}

export function overlap(a: Block, b: Block): boolean {
  return a.first <= lastOf(b) && b.first <= lastOf(a)
}

/** The kind of network an address is in where no lab can use it (`loopback`, `multicast`); undefined where it can. */
export function unusable(prefix: Cidr): string | undefined {
  const range = ipaddr.IPv4.parseCIDR(prefix)[0].range()
  return ['unspecified', 'loopback', 'multicast', 'broadcast', 'linkLocal'].includes(range)
    ? range
    : undefined
}
