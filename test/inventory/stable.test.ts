/** Properties: a host's and a pod's place depends on nothing but itself. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Host } from '../../inventory/inventory.ts'
import { InventoryErrors, parseInventory } from '../../inventory/load.ts'
import { inventoryText } from './inventory-text.ts'

type Body = Record<string, unknown> | null

/** The hosts of a lab; undefined where names clash (which is an error, never a renumbering). */
function hostsOf(hosts: readonly (readonly [string, Body])[]): Map<string, Host> | undefined {
  try {
    const inventory = parseInventory(inventoryText({ hosts: Object.fromEntries(hosts) }), 'lab.yaml')
    return new Map(inventory.hosts.map((host) => [host.name, host]))
  } catch (error) {
    if (
      error instanceof InventoryErrors &&
      /would (both )?get|would both|have the numbers/.test(error.message)
    )
      return undefined
    throw error
  }
}

const word = fc.stringMatching(/^[a-z][a-z-]{0,8}[a-z]$/)
const hostName = fc.oneof(
  fc.nat({ max: 5000 }).map((n) => `node${n + 1}`),
  word.filter((text) => text !== 'localhost'),
)
const podNames = (host: string) =>
  fc.uniqueArray(
    word.map((text) => `${host}-x${text}`),
    { maxLength: 4 },
  )
const host = hostName.chain((name) =>
  fc
    .oneof(
      fc.constant(null),
      fc.record({ pods: fc.nat({ max: 5 }) }),
      fc.record({ pods: podNames(name) }),
      fc.record({ pods: podNames(name).map((pods) => Object.fromEntries(pods.map((pod) => [pod, null]))) }),
    )
    .map((body) => [name, body] as const),
)
const lab = fc.uniqueArray(host, { minLength: 2, maxLength: 12, selector: ([name]) => name })

describe('nobody is renumbered', () => {
  it('when hosts leave, come, or change their order', () => {
    let compared = 0
    fc.assert(
      fc.property(
        lab.chain((hosts) => fc.tuple(fc.constant(hosts), fc.shuffledSubarray([...hosts], { minLength: 1 }))),
        ([hosts, some]) => {
          const all = hostsOf(hosts)
          if (!all) return
          // What does not clash as a whole does not clash in part.
          for (const [name, one] of hostsOf(some) ?? new Map<string, Host>([['', {} as Host]])) {
            expect(one).toEqual(all.get(name))
            compared++
          }
        },
      ),
      { numRuns: 300 },
    )
    expect(compared).toBeGreaterThan(300)
  })

  it('when pods leave, come, or change their order', () => {
    let compared = 0
    const pods = fc.uniqueArray(
      fc.oneof(
        word,
        fc.nat({ max: 50 }).map((n) => `n1-pod${n + 1}`),
      ),
      { minLength: 2, maxLength: 10 },
    )
    fc.assert(
      fc.property(
        pods.chain((names) =>
          fc.tuple(fc.constant(names), fc.shuffledSubarray([...names], { minLength: 1 })),
        ),
        ([names, some]) => {
          const all = hostsOf([['n1', { pods: names }]])
          if (!all) return
          const address = new Map<string, string>(all.get('n1')?.pods.map((pod) => [pod.name, pod.address]))
          const kept = hostsOf([['n1', { pods: some }]])?.get('n1')?.pods
          expect(kept?.map((pod) => pod.address)).toEqual(some.map((name) => address.get(name)))
          compared++
        },
      ),
      { numRuns: 300 },
    )
    expect(compared).toBeGreaterThan(50)
  })

  it('when the count of pods changes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (a, b) => {
        const pods = (count: number) => hostsOf([['n1', { pods: count }]])?.get('n1')?.pods ?? []
        const fewer = Math.min(a, b)
        expect(pods(a).slice(0, fewer)).toEqual(pods(b).slice(0, fewer))
        expect(pods(a)).toHaveLength(a)
      }),
    )
  })
})

describe('a lab that is accepted', () => {
  it('has no value twice, and every value in its range', () => {
    fc.assert(
      fc.property(lab, (hosts) => {
        const all = [...(hostsOf(hosts)?.values() ?? [])]
        for (const values of [
          all.map((one) => one.address as string),
          all.map((one) => one.subnet as string),
          all.flatMap((one) => one.pods.map((pod) => pod.address as string)),
          all.flatMap((one) => [one.name as string, ...one.pods.map((pod) => pod.name as string)]),
        ])
          expect(new Set(values).size).toBe(values.length)
        for (const one of all) {
          const prefix = one.subnet.replace(/\.0\/24$/, '.')
          for (const pod of one.pods) {
            expect(pod.address.startsWith(prefix)).toBe(true)
            expect(Number(pod.address.slice(prefix.length))).toBeGreaterThanOrEqual(2)
            expect(Number(pod.address.slice(prefix.length))).toBeLessThanOrEqual(254)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})
