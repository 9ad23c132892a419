/** What faults are done to: a lab that is up, and how it is mended. */
import type { Inventory, MachineKind } from '../../inventory/inventory.ts'
import type { LabPlan, PlannedHost } from '../../overlay/plan.ts'
import type { SessionOf } from '../reach.ts'
import type { ScratchLab } from '../variants/scratch.ts'
import { variantOf, type Variant } from '../variants/variant.ts'

export interface LabUnderTest {
  readonly variant: Variant
  /** With all its hosts, whichever are there at the moment. */
  readonly inventory: Inventory
  readonly plan: LabPlan
  readonly session: SessionOf
  /** `pulumi up`, with all hosts; works after an interrupt too, where the lab is one that stays. @throws HostError */
  up(): Promise<unknown>
  /** `pulumi up` with these hosts only. Undefined where the inventory is not ours to change. */
  readonly resize?: (hosts: readonly string[]) => Promise<unknown>
}

/** The hosts that faults are about. */
export interface Roles {
  readonly hosts: readonly PlannedHost[]
  /** Where one host is struck, it is the last: etcd, if any, is on the first. */
  readonly victim: PlannedHost
  /** Those with a flanneld. */
  readonly controlled: readonly PlannedHost[]
  /** Where etcd runs; see `overlay/control-plane.ts`. */
  readonly etcd?: PlannedHost
}

export function rolesOf(plan: LabPlan): Roles {
  const hosts = Object.values(plan.hosts)
  const controlled = hosts.filter(({ control }) => control === 'flanneld')
  const [etcd] = controlled
  const victim = controlled.at(-1) ?? hosts.at(-1)
  if (!victim) throw new RangeError('a lab without hosts')
  return { hosts, victim, controlled, ...(etcd ? { etcd } : {}) }
}

/** The kind of the machine that is struck. */
export function machineOf({ inventory, plan }: LabUnderTest): MachineKind | undefined {
  const { victim } = rolesOf(plan)
  return inventory.hosts.find(({ name }) => name === victim.name)?.machine
}

/** A lab of the variant's own; its machines join and leave as a fault wants. */
export function scratchUnderTest(scratch: ScratchLab, variant: Variant): LabUnderTest {
  const { inventory, plan, session } = scratch
  const all = inventory.hosts.map(({ name }) => name)
  return {
    variant,
    inventory,
    plan,
    session,
    up: () => scratch.up({ hosts: all }),
    resize: (hosts) => scratch.up({ hosts }),
  }
}

/** The variant that a running lab is; one with a flanneld on any host is flanneld's. */
export function variantOfLab({ lab, hosts }: LabPlan): Variant {
  const control = Object.values(hosts).some((host) => host.control === 'flanneld') ? 'flanneld' : 'static'
  return variantOf(lab.overlay.Backend.Type, control)
}
