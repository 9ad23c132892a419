import { expect, test } from 'vitest'
import { scratchInventory } from '../../../experiments/variants/inventory.ts'
import { variantNamed, variants } from '../../../experiments/variants/variant.ts'
import type { Backend, Impairment } from '../../../inventory/inventory.ts'
import { parseInventory } from '../../../inventory/load.ts'
import type { Share } from '../../../inventory/quantities.ts'
import type { Cidr, Ip, Name } from '../../../inventory/values.ts'
import { inventoryText } from '../../../inventory/write.ts'
import { planLab } from '../../../overlay/plan.ts'
import { hostOf, hostsOf, inventoryOf } from '../../support/inventory.ts'

const form = { name: 'lab-x' as Name, underlay: '172.31.5.0/24' as Cidr }

test.each(variants)(
  '$name: its backend and control for every host; names, pods and subnets stay',
  (variant) => {
    const mixed = inventoryOf({ hosts: [hostOf(1), hostOf(2, { control: 'flanneld' }), hostOf(3)] })
    const scratch = scratchInventory(mixed, { ...form, variant })
    expect(scratch.lab).toMatchObject({ ...form, overlay: { Backend: { Type: variant.backend } } })
    expect(scratch.hosts.map(({ control }) => control)).toEqual(Array(3).fill(variant.control))
    expect(scratch.hosts.map(({ address }) => address)).toEqual(['172.31.5.1', '172.31.5.2', '172.31.5.3'])
    for (const key of ['name', 'subnet', 'pods', 'number'] as const)
      expect(scratch.hosts.map((host) => host[key])).toEqual(mixed.hosts.map((host) => host[key]))
    // What Pulumi is given plans the same.
    expect(planLab(parseInventory(inventoryText(scratch), 'lab.yaml'))).toEqual(planLab(scratch))
  },
)

test('a host that joins later moves no other', () => {
  const all = inventoryOf({ hosts: hostsOf(4) })
  const variant = variantNamed('vxlan')
  const some = scratchInventory(all, { ...form, variant, hosts: ['node1', 'node3'] })
  expect(some.hosts.map(({ name, address }) => `${name} ${address}`)).toEqual([
    'node1 172.31.5.1',
    'node3 172.31.5.3',
  ])
})

test('a peer that is left out has no link to be impaired', () => {
  const loss = { loss: '1%' as Share }
  const impairments = { all: {}, toward: { node2: loss, node3: loss } as Record<Name, Impairment> }
  const all = inventoryOf({ hosts: [hostOf(1, { impairments }), hostOf(2), hostOf(3)] })
  const some = scratchInventory(all, { ...form, variant: variantNamed('vxlan'), hosts: ['node1', 'node2'] })
  expect(parseInventory(inventoryText(some), 'lab.yaml').hosts[0]!.impairments).toEqual({
    all: {},
    toward: { node2: loss },
  })
})

test('explicit addresses and a wide underlay of the inventory do not matter', () => {
  const hosts = [hostOf(1, { address: '10.9.200.7' as Ip }), hostOf(2, { address: '10.9.1.1' as Ip })]
  const wide = inventoryOf({ lab: { underlay: '10.9.0.0/16' as Cidr }, hosts })
  const scratch = scratchInventory(wide, { ...form, variant: variantNamed('host-gw') })
  expect(() => parseInventory(inventoryText(scratch), 'lab.yaml')).not.toThrow()
})

test("the user's own settings stay with the user's own backend", () => {
  const backend: Backend = { Type: 'vxlan', VNI: 7, Port: 4789, DirectRouting: false }
  const given = inventoryOf({ backend, hosts: hostsOf(2) })
  const backendOf = (name: string) =>
    scratchInventory(given, { ...form, variant: variantNamed(name) }).lab.overlay.Backend
  expect(backendOf('vxlan-flanneld')).toEqual(backend)
  expect(backendOf('udp')).toEqual({ Type: 'udp', Port: 8285 })
})

test('what no such lab can have is said with its host', () => {
  const legacy = inventoryOf({ hosts: [hostOf(1), hostOf(2, { iptables: 'legacy' })] })
  expect(() => scratchInventory(legacy, { ...form, variant: variantNamed('udp') })).not.toThrow()
  expect(() => scratchInventory(legacy, { ...form, variant: variantNamed('udp-flanneld') })).toThrow(
    /^node2: variant udp-flanneld: the inventory says iptables: legacy/,
  )
  const existing = inventoryOf({ hosts: [hostOf(1, { machine: 'ssh' })] })
  expect(() => scratchInventory(existing, { ...form, variant: variantNamed('udp') })).toThrow(
    /^node1: variant udp: .* this host exists \(machine: ssh\)/,
  )
  const vm = inventoryOf({ hosts: [hostOf(1, { machine: 'qemu' })] })
  expect(scratchInventory(vm, { ...form, variant: variantNamed('udp') }).hosts[0]!.machine).toBe('qemu')
  expect(() => scratchInventory(vm, { ...form, variant: variantNamed('udp-flanneld') })).toThrow(
    /^node1: variant udp-flanneld: flanneld runs on machines of the kind namespace, and this one is qemu/,
  )
  const many = inventoryOf({ hosts: hostsOf(254) })
  expect(() => scratchInventory(many, { ...form, variant: variantNamed('udp') })).toThrow(/253 hosts at most/)
})
