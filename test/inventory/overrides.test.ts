import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { InventoryErrors, parseInventory } from '../../inventory/load.ts'
import { overridesFrom } from '../../inventory/overrides.ts'
import type { LabOverrides } from '../../inventory/overrides.ts'
import { inventoryText } from './inventory-text.ts'

interface Case {
  readonly case: string
  readonly file?: object
  readonly overrides: LabOverrides
  readonly lab?: object
  readonly backend?: object
  readonly error?: string
}

const cases = JSON.parse(readFileSync(new URL('overrides.json', import.meta.url), 'utf8')) as Case[]
const lab = (backend: object) => ({
  underlay: '192.168.77.0/24',
  overlay: { Network: '10.244.0.0/16', Backend: backend },
})

function result({
  file = { Type: 'vxlan' },
  overrides,
}: Case): ReturnType<typeof parseInventory>['lab'] | string {
  try {
    return parseInventory(inventoryText({ hosts: { node1: null } }, lab(file)), 'lab.yaml', overrides).lab
  } catch (error) {
    if (error instanceof InventoryErrors) return error.message
    throw error
  }
}

describe("a stack's overrides", () => {
  it.each(cases)('$case', (one) => {
    const got = result(one)
    if (one.error !== undefined) expect(got).toBe(one.error)
    if (one.lab !== undefined) expect(got).toMatchObject(one.lab)
    if (one.backend !== undefined) expect(got).toHaveProperty('overlay.Backend', one.backend)
  })

  it('may give what the file has not', () => {
    const text = 'all: {hosts: {node1: }}\n'
    const overrides = {
      lab: 'x',
      underlay: '192.168.7.0/24',
      backend: 'host-gw',
      overlay: { Network: '10.1.0.0/16' },
    }
    expect(parseInventory(text, 'lab.yaml', overrides).lab).toMatchObject({
      name: 'x',
      overlay: { Backend: { Type: 'host-gw' } },
    })
  })

  it('say who controls the hosts that do not say so themselves', () => {
    const text = inventoryText(
      { hosts: { node1: null, node2: { control: 'static' } } },
      lab({ Type: 'vxlan' }),
    )
    const { hosts } = parseInventory(text, 'lab.yaml', { control: 'flanneld' })
    expect(hosts.map(({ control }) => control)).toEqual(['flanneld', 'static'])
  })

  it('leave the mistakes of a lab block that is no map to the file', () => {
    expect(() => parseInventory('lab: 3\nall: {hosts: {node1: }}\n', 'f', { lab: 'x' })).toThrow(
      /^f:1:6 lab: is 3, not a map/,
    )
  })

  it('come from texts', () => {
    const config: Record<string, string> = {
      lab: 'x',
      mtu: '1400',
      backend: 'udp',
      overlay: '{"SubnetLen": 25}',
    }
    expect(overridesFrom((key) => config[key])).toEqual({
      lab: 'x',
      mtu: 1400,
      backend: 'udp',
      overlay: { SubnetLen: 25 },
    })
    expect(overridesFrom(() => undefined)).toEqual({})
    expect(overridesFrom((key) => (key === 'overlay' ? '{oops' : undefined))).toEqual({ overlay: '{oops' })
  })
})
