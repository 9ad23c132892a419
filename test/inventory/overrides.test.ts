import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { InventoryErrors, overrideNotes, parseInventory } from '../../inventory/load.ts'
import { overridesFrom } from '../../inventory/overrides.ts'
import type { LabOverrides } from '../../inventory/overrides.ts'
import { fromRepository } from '../../tools/paths.ts'
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

describe('what a stack replaces', () => {
  const text = `lab:
  name: lab
  underlay: 192.168.77.0/24
  overlay:
    Network: 10.244.0.0/16
    SubnetLen: 24
    Backend:
      Type: vxlan
      VNI: 7
      Port: 8472
all: {hosts: {node1: }}
`
  /** The notes of a stack with this configuration. */
  function notes(settings: string, more: LabOverrides = {}): string[] {
    const folder = mkdtempSync(join(tmpdir(), 'overlab-overrides-'))
    const file = join(folder, 'lab.yaml')
    try {
      writeFileSync(file, text)
      const config = (parse(settings) as { config: Record<string, string> }).config
      const overrides = { ...overridesFrom((key) => config[`overlab:${key}`]), ...more }
      return overrideNotes(file, overrides, { file: 'stacks/Pulumi.x.yaml', text: settings }, 'lab.yaml')
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it('is said with both places', () =>
    expect(notes('config:\n  overlab:lab: other\n  overlab:backend: udp\n')).toEqual([
      'stacks/Pulumi.x.yaml:2 overlab:lab: "other" replaces "lab" (lab.yaml:2:9 lab.name)',
      'stacks/Pulumi.x.yaml:3 overlab:backend: "udp" replaces "vxlan" (lab.yaml:8:13 lab.overlay.Backend.Type)',
      'stacks/Pulumi.x.yaml:3 overlab:backend: removes 7 (lab.yaml:9:12 lab.overlay.Backend.VNI)',
    ]))

  it('is said of single keys of an overlay, and of those that it takes away', () =>
    expect(notes(`config:\n  overlab:overlay: '{"SubnetLen": null, "Backend": {"Port": 4789}}'\n`)).toEqual([
      'stacks/Pulumi.x.yaml:2 overlab:overlay: removes 24 (lab.yaml:6:16 lab.overlay.SubnetLen)',
      'stacks/Pulumi.x.yaml:2 overlab:overlay: 4789 replaces 8472 (lab.yaml:10:13 lab.overlay.Backend.Port)',
    ]))

  it('is named by its key where it comes from no file', () =>
    expect(notes('config: {}\n', { backend: 'host-gw' })[0]).toBe(
      'config overlab:backend: "host-gw" replaces "vxlan" (lab.yaml:8:13 lab.overlay.Backend.Type)',
    ))

  it('is nothing where the file says the same, or nothing', () =>
    expect(notes('config:\n  overlab:backend: vxlan\n  overlab:lab: lab\n  overlab:mtu: "1400"\n')).toEqual(
      [],
    ))
})

describe('the stacks of the project', () => {
  const folder = fromRepository('stacks', 'defaults')
  const keysOf = (stack: string) => {
    const { config } = parse(readFileSync(join(folder, `Pulumi.${stack}.yaml`), 'utf8')) as { config: object }
    return Object.keys(config).map((key) => key.replace('overlab:', ''))
  }

  it('leave all to the inventory but what makes them another lab', () =>
    expect(
      Object.fromEntries(
        readdirSync(folder)
          .map((file) => file.split('.')[1]!)
          .map((name) => [name, keysOf(name)]),
      ),
    ).toEqual({
      'host-gw': ['backend', 'lab', 'underlay'],
      udp: ['backend', 'lab', 'underlay'],
      vms: ['machine', 'lab', 'underlay'],
      // The default one: an edit of inventory/lab.yaml, Backend.Type too, has its effect.
      vxlan: [],
    }))
})
