/** The table of faults: names, and what applies where. */
import { describe, expect, test } from 'vitest'
import { loadInventory } from '../../../inventory/load.ts'
import { faults } from '../../../experiments/survive/faults.ts'
import { rolesOf, variantOfLab, type LabUnderTest } from '../../../experiments/survive/lab.ts'
import { scratchInventory } from '../../../experiments/variants/inventory.ts'
import { variants, type Variant } from '../../../experiments/variants/variant.ts'
import type { Cidr, Name } from '../../../inventory/values.ts'
import { planLab } from '../../../overlay/plan.ts'
import { defaultLab } from '../../support/default-lab.ts'

const given = loadInventory(defaultLab)

/** The default lab as a variant, without machines. */
function labOf(variant: Variant, own = true): LabUnderTest {
  const inventory = scratchInventory(given, {
    name: 'paper' as Name,
    underlay: '10.101.9.0/24' as Cidr,
    variant,
  })
  const never = () => Promise.reject(new Error('there are no machines'))
  return {
    variant,
    inventory,
    plan: planLab(inventory),
    session: never,
    up: never,
    ...(own && { resize: never }),
  }
}

test('ids are words of their own, and every fault says what it does', () => {
  expect(new Set(faults.map(({ id }) => id)).size).toBe(faults.length)
  for (const { id, title, what } of faults) {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(title).not.toBe('')
    expect(what).toMatch(/\.$/)
  }
})

describe('what applies', () => {
  const daemons = ['kill-one', 'kill-all', 'term-all', 'kill-etcd', 'kill-both', 'lease-ends']
  const vxlanOnly = ['flush-permanent', 'flush-fdb']
  const not: Readonly<Record<string, readonly string[]>> = {
    vxlan: daemons,
    'host-gw': [...daemons, ...vxlanOnly, 'overlay-down'],
    udp: [...daemons, ...vxlanOnly, 'overlay-down'],
    'vxlan-flanneld': [],
    'host-gw-flanneld': [...vxlanOnly, 'overlay-down'],
    'udp-flanneld': vxlanOnly,
  }
  test.each(variants)('$name', (variant) => {
    const lab = labOf(variant)
    const found = faults.filter(({ notApplicable }) => notApplicable(lab)).map(({ id }) => id)
    expect(found.sort()).toEqual([...not[variant.name]!].sort())
  })
  test("a host joins only a lab whose inventory is not the user's", () => {
    const joins = faults.find(({ id }) => id === 'host-joins')!
    expect(joins.notApplicable(labOf(variants[0]!, false))).toMatch(/without --here/)
  })
})

describe('the hosts', () => {
  test('one host is struck: the last; etcd is on the first', () => {
    const roles = rolesOf(labOf(variants[3]!).plan)
    expect([roles.victim.name, roles.etcd?.name, roles.controlled.length]).toEqual(['node3', 'node1', 3])
    expect(rolesOf(labOf(variants[0]!).plan).etcd).toBeUndefined()
  })
  test.each(variants)('a running lab knows that it is $name', (variant) => {
    expect(variantOfLab(labOf(variant).plan)).toEqual(variant)
  })
})

test.each(variants)('every script for $name is made from the plan', (variant) => {
  const lab = labOf(variant)
  const scripts = faults.flatMap(({ notApplicable, strike }) => {
    if (notApplicable(lab) || 'act' in strike) return []
    const on = strike.on(rolesOf(lab.plan))
    expect(on.length).toBeGreaterThan(0)
    return on.map((host) => strike.script(host, lab))
  })
  expect(scripts.join('\n')).not.toContain('undefined')
})
