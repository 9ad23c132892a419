/** The subnets that flannel would give out (pkg/subnet/config.go, CheckNetworkConfig). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseInventory } from '../../inventory/load.ts'
import { inventoryText } from './inventory-text.ts'

type Case = { readonly gives: readonly [number, string, string]; readonly Network: string }
const cases = JSON.parse(readFileSync(new URL('flannel-subnets.json', import.meta.url), 'utf8')) as Case[]

describe("flannel's subnets", () => {
  it.each(cases)('$Network $SubnetLen $SubnetMin $SubnetMax', ({ gives, ...overlay }) => {
    const text = inventoryText({ hosts: { node1: null } }, { underlay: '192.168.0.0/24', overlay })
    const { SubnetLen, SubnetMin, SubnetMax } = parseInventory(text, 'lab.yaml').lab.overlay
    expect([SubnetLen, SubnetMin, SubnetMax]).toEqual(gives)
  })
})
