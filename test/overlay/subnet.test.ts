import { expect, test } from 'vitest'
import type { Cidr, Ip } from '../../inventory/values.ts'
import { firstOf, gatewayOf, holds, lengthOf } from '../../overlay/subnet.ts'

test.each([
  ['10.244.1.0/24', '10.244.1.0', '10.244.1.1', 24],
  ['10.244.1.64/26', '10.244.1.64', '10.244.1.65', 26],
  ['255.255.255.252/30', '255.255.255.252', '255.255.255.253', 30],
])('%s: P.0 is %s, P.1 %s, the length %i', (subnet, first, gateway, length) => {
  const P = subnet as Cidr
  expect([firstOf(P), gatewayOf(P), lengthOf(P)]).toEqual([first, gateway, length])
})

test.each([
  ['192.168.77.0/24', '192.168.77.255', true],
  ['192.168.77.0/24', '192.168.78.0', false],
  ['192.168.77.128/25', '192.168.77.127', false],
  ['0.0.0.0/0', '8.8.8.8', true],
])('%s holds %s: %s', (prefix, address, expected) => {
  expect(holds(prefix as Cidr, address as Ip)).toBe(expected)
})
