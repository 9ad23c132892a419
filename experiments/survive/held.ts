/** What the hosts hold of the plan, and which daemons live: read before and after a fault. */
import { probe } from '../../modules/apply.ts'
import { tableNames, type HostState, type TableName } from '../../modules/state.ts'
import type { PlannedHost } from '../../overlay/plan.ts'
import { HostError } from '../../remote/errors.ts'
import type { SessionOf } from '../reach.ts'
import { unitFunctions } from './daemons.ts'

export type Unit = 'flanneld' | 'etcd'
const units: readonly Unit[] = ['flanneld', 'etcd']

export interface Held {
  readonly state: HostState
  /** The daemons that live. */
  readonly units: readonly Unit[]
}

/** By host; one that can not be read is missing. */
export type HeldByHost = Readonly<Record<string, Held>>

/** Two round trips a host, all hosts at once. */
export async function readHeld(
  sessionOf: SessionOf,
  hosts: readonly PlannedHost[],
  signal?: AbortSignal,
): Promise<HeldByHost> {
  const read = await Promise.all(
    hosts.map(async (host) => {
      try {
        return [[host.name, await readHost(sessionOf, host, signal)] as const]
      } catch (error) {
        if (!(error instanceof HostError) || signal?.aborted) throw error
        return []
      }
    }),
  )
  return Object.fromEntries(read.flat())
}

async function readHost(sessionOf: SessionOf, host: PlannedHost, signal?: AbortSignal): Promise<Held> {
  const session = await sessionOf(host.name)
  const options = { timeoutMs: 10_000, ...(signal ? { signal } : {}) }
  const plan = {
    desired: host.state,
    prior: {},
    facts: { nic: host.nic, iptables: host.iptables },
  }
  const [state, { stdout }] = await Promise.all([
    probe(session, plan, options),
    session.run(
      `${unitFunctions}\nfor unit in ${units.join(' ')}; do if alive $unit; then echo $unit; fi; done`,
      { ...options, step: 'read the daemons' },
    ),
  ])
  const lines = stdout.split('\n')
  return { state, units: units.filter((unit) => lines.includes(unit)) }
}

/** What is not there, or not as it was: of one table on one host. */
export interface Missing {
  readonly host: string
  readonly table: TableName | Unit
  readonly keys: readonly string[]
}

/** What `wanted` has and `held` has not. Of a host that was not read nothing is known, and nothing is told. Pure. */
export function missing(wanted: HeldByHost, held: HeldByHost): Missing[] {
  return Object.entries(wanted).flatMap(([host, before]) => {
    const now = held[host]
    if (!now) return []
    return [
      ...before.units
        .filter((unit) => !now.units.includes(unit))
        .map((unit): Missing => ({ host, table: unit, keys: [unit] })),
      ...tableNames.flatMap((table): Missing[] => {
        const keys = Object.entries(before.state[table] ?? {})
          .filter(([key, line]) => now.state[table]?.[key] !== line)
          .map(([key]) => key)
        return keys.length > 0 ? [{ host, table, keys }] : []
      }),
    ]
  })
}

/** All of both, each key once. Pure. */
export function union(first: readonly Missing[], second: readonly Missing[]): Missing[] {
  const all = new Map<string, Missing>()
  for (const one of [...first, ...second]) {
    const id = `${one.host} ${one.table}`
    all.set(id, { ...one, keys: [...new Set([...(all.get(id)?.keys ?? []), ...one.keys])] })
  }
  return [...all.values()]
}

/** What the hosts shall hold when the lab is whole: the plan, flanneld where it is wanted, etcd on the first of those. */
export function wantedOf(hosts: readonly PlannedHost[]): HeldByHost {
  const etcd = hosts.find(({ control }) => control === 'flanneld')
  return Object.fromEntries(
    hosts.map((host) => [
      host.name,
      {
        state: host.state,
        units: units.filter((unit) => (unit === 'etcd' ? host === etcd : host.control === 'flanneld')),
      },
    ]),
  )
}
