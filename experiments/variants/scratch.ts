/**
 * A lab of a variant's own, beside the user's and never touching it: the same hosts and pods, another name, underlay,
 * backend and control. What is measured on variants is measured there.
 */
import { existsSync } from 'node:fs'
import { hashed } from '../../inventory/numbers.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import type { Cidr, Name } from '../../inventory/values.ts'
import { inventoryText } from '../../inventory/write.ts'
import { freeUnderlay } from '../../machines/lab/free.ts'
import { planLab, type LabPlan } from '../../overlay/plan.ts'
import { HostError } from '../../remote/errors.ts'
import { flanneldBinary } from '../../tools/flanneld-binary.ts'
import { findCommand } from '../../tools/commands.ts'
import { labSessions, type Sessions } from '../sessions.ts'
import { scratchInventory } from './inventory.ts'
import { takePlace } from './place.ts'
import { makeProject, up } from './pulumi.ts'
import type { Variant } from './variant.ts'

export interface ScratchLab {
  readonly name: Name
  /** Its Pulumi stack, in a state of its own. */
  readonly stack: string
  /** What it is now; `up` changes both. */
  readonly inventory: Inventory
  readonly plan: LabPlan
  /** How long the first `pulumi up` took, from nothing to a lab whose pods reach each other, in ms. */
  readonly buildMs: number
  /** @throws HostError where the host can not be reached; at once where its machine does not run */
  readonly session: Sessions['session']
  /** `pulumi up`, after a change or to heal what is broken; how long it took, in ms. @throws HostError */
  up(change?: ScratchChange): Promise<number>
  /** Takes it away, whatever state it is in. Also needed after an interrupt. */
  destroy(): Promise<void>
}

/** What is not said stays as it is. */
export interface ScratchChange {
  readonly backend?: Variant['backend']
  readonly control?: Variant['control']
  /** The hosts that it has, by name. */
  readonly hosts?: readonly string[]
}

export interface ScratchOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (state: string) => void
  /** The hosts that it begins with; all unless told. */
  readonly hosts?: readonly string[]
}

/** Underlays that this process has chosen and may not have made yet. */
const chosen = new Set<Cidr>()

/**
 * Builds it. Where that fails or is interrupted nothing of it is left.
 * @throws HostError where the inventory, this machine or Pulumi can not
 */
export async function scratchLab(
  { inventory: given }: { readonly inventory: Inventory },
  variant: Variant,
  { signal, onProgress = () => {}, hosts }: ScratchOptions = {},
): Promise<ScratchLab> {
  checkScratch(given, variant)
  const place = await takePlace(given.lab.name, variant.name, (name) =>
    onProgress(`taking away ${name}, which a killed run left`),
  )
  const { name, folder } = place
  let underlay: Cidr | undefined
  let sessions: Sessions | undefined
  const destroy = async () => {
    await sessions?.close()
    await place.leave()
    if (underlay) chosen.delete(underlay)
  }
  try {
    const { Network } = given.lab.overlay
    underlay = await freeUnderlay([...chosen, Network, given.lab.underlay], hashed(name, 1e6))
    chosen.add(underlay)
    const form = { name, underlay, variant, ...(hosts && { hosts }) }
    let inventory = scratchInventory(given, form)
    let plan = planLab(inventory)
    onProgress(`building ${variant.name}`)
    await makeProject(folder, name, signal)
    const buildMs = await up(folder, name, inventoryText(inventory), signal)
    sessions = labSessions(name, signal, 15_000)
    return {
      name,
      stack: name,
      buildMs,
      get inventory() {
        return inventory
      },
      get plan() {
        return plan
      },
      session: sessions.session,
      async up({ hosts: changed, ...change } = {}) {
        const now = { backend: inventory.lab.overlay.Backend.Type, control: inventory.hosts[0]!.control }
        const next = { name: variant.name, ...now, ...change }
        inventory = scratchInventory(given, {
          ...form,
          variant: next,
          hosts: changed ?? inventory.hosts.map((host) => host.name),
        })
        plan = planLab(inventory)
        return up(folder, name, inventoryText(inventory), signal)
      },
      destroy,
    }
  } catch (error) {
    await destroy()
    throw error
  }
}

/** What a variant needs, before anything is made. @throws HostError */
export function checkScratch(inventory: Inventory, variant: Variant): void {
  scratchInventory(inventory, {
    name: inventory.lab.name,
    underlay: '192.168.77.0/24' as Cidr,
    variant,
  })
  if (variant.control !== 'flanneld') return
  const missing = existsSync(flanneldBinary()) ? (findCommand('etcd') ? undefined : 'etcd') : 'flanneld'
  if (missing)
    throw new HostError({
      host: 'this machine',
      step: `variant ${variant.name}`,
      why: `${missing} is not installed`,
      hint: 'npm run setup -- --flanneld installs it',
    })
}
