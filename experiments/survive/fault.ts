/** What a fault is, as a value; `faults.ts` has them all. */
import type { PlannedHost } from '../../overlay/plan.ts'
import type { LabUnderTest, Roles } from './lab.ts'

export interface Fault {
  readonly id: string
  /** A row's name. */
  readonly title: string
  /** What is done, with the command that does it. */
  readonly what: string
  /** What a reader learns from the row, whatever a run measured. */
  readonly lesson: string
  /** Why it can not be done to a lab, or would mean nothing there; else undefined. */
  readonly notApplicable: (lab: LabUnderTest) => string | undefined
  readonly strike: Strike | Act
}

/** A script on some of the hosts, all at once. */
export interface Strike {
  readonly on: (roles: Roles) => readonly PlannedHost[]
  readonly script: (host: PlannedHost, lab: LabUnderTest) => string
  /** Prints what `pulumi up` would not put back, before; `putBack` gets it on standard input, afterwards. */
  readonly keep?: (host: PlannedHost) => string
  readonly putBack?: string
  /** What of the script's output belongs into the reason: of each host's, in one sentence. */
  readonly told?: (outputs: readonly string[]) => string | undefined
}

/** What no script on a host can do. It returns what belongs into the reason, if anything does. */
export interface Act {
  /** The hosts that the lab has when it begins; all unless told. */
  readonly begins?: (roles: Roles) => readonly PlannedHost[]
  readonly act: (lab: LabUnderTest) => Promise<string | undefined>
}

export const everywhere = (): undefined => undefined

export function underFlanneld({ variant: { control } }: LabUnderTest): string | undefined {
  return control === 'flanneld' ? undefined : 'a static lab has no flanneld and no etcd'
}
