/** What differs between two labs' states, named object by object as Pulumi's property paths. */
import { diffState } from '../../modules/apply.ts'
import type { HostState } from '../../modules/state.ts'

export type Difference = 'add' | 'delete' | 'update'
export type Hosts = Readonly<Record<string, HostState>>

/**
 * Property path -> kind, such as `hosts.node1.routes["10.244.2.0/24"]` -> `update`. A host that is only on
 * one side is one entry, `hosts.node4`: all of it comes or goes.
 */
export function differences(held: Hosts, wanted: Hosts): Record<string, Difference> {
  const found: Record<string, Difference> = {}
  for (const host of new Set([...Object.keys(held), ...Object.keys(wanted)])) {
    const [before, after] = [held[host], wanted[host]]
    if (!before) found[`hosts${step(host)}`] = 'add'
    else if (!after) found[`hosts${step(host)}`] = 'delete'
    else
      for (const { table, key, op } of diffState(before, after))
        found[`hosts${step(host)}.${table}${step(key)}`] = op === 'change' ? 'update' : op
  }
  return found
}

/** One step of a property path; anything but a plain word goes in quotes. */
export function step(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}
