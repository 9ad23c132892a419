import type { BootFiles } from './boot/files.ts'
import type { Module, HostFacts, Scope } from './module.ts'
import type { HostState } from './state.ts'

/** Everything that reading or changing one host needs to know beforehand. */
export interface HostPlan {
  /** What the host shall hold. */
  readonly desired: HostState
  /** What overlab last put there, as far as is known. */
  readonly prior: HostState
  readonly facts: HostFacts
  /** All rows of a program that is about to fill the host: those of them that are there stay for it. */
  readonly left?: HostState
  /** The files that restore `desired` at boot; boot/restore.ts makes them. */
  readonly bootFiles?: BootFiles
}

export function scopeOf(module: Module, { desired, prior, facts, bootFiles }: HostPlan): Scope {
  return {
    desired: desired[module.table] ?? {},
    prior: prior[module.table] ?? {},
    host: facts,
    links: [...new Set([...Object.keys(desired.links ?? {}), ...Object.keys(prior.links ?? {})])].filter(
      (link) => !facts.lent?.includes(link),
    ),
    ...(bootFiles && { bootFiles }),
  }
}
