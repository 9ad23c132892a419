import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mac, type Ip, type Name } from '../../inventory/values.ts'
import { addressMac, hostMac, vtepMac } from '../../overlay/mac.ts'

test('a host keeps its MACs for ever: these are in the neighbour tables of running labs', () => {
  expect(hostMac('node1' as Name)).toBe('92:f9:81:b9:5a:46')
  expect(vtepMac('node1' as Name)).toBe('16:48:e0:d7:53:2f')
})

test('a pod has the MAC that the CNI bridge plugin would give it', () => {
  expect(addressMac('10.244.53.2' as Ip)).toBe('0a:58:0a:f4:35:02')
})

test('1000 hosts have 2000 MACs', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `node${index + 1}` as Name)
  expect(new Set(names.flatMap((name) => [hostMac(name), vtepMac(name)])).size).toBe(2000)
})

test('every MAC is unicast and locally administered', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/), (name) => {
      for (const address of [hostMac(name as Name), vtepMac(name as Name)]) {
        expect(mac.parse(address)).toBe(address)
        expect(parseInt(address.slice(0, 2), 16) & 3).toBe(2)
      }
    }),
  )
})
