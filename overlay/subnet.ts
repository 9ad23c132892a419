/** The addresses of a host's subnet P, by the names that flannel's users give them. */
import { contains, toBlock, toIp, toNumber } from '../inventory/ipv4.ts'
import type { Cidr, Ip } from '../inventory/values.ts'

/** P.0, which no pod has. */
export function firstOf(subnet: Cidr): Ip {
  return toIp(toBlock(subnet).first)
}

/** P.1, the bridge's address and the pods' default gateway. */
export function gatewayOf(subnet: Cidr): Ip {
  return toIp(toBlock(subnet).first + 1)
}

/** `24` of `10.244.1.0/24`. */
export function lengthOf(subnet: Cidr): number {
  return toBlock(subnet).length
}

export function holds(prefix: Cidr, address: Ip): boolean {
  return contains(toBlock(prefix), toNumber(address))
}
