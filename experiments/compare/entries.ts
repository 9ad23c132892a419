/** Kernel entries that make a host part of the overlay: what the plan says for any number of hosts, and what is there. */
import { stringify } from 'yaml'
import type { Lab, MachineKind } from '../../inventory/inventory.ts'
import { InventoryErrors, parseInventory } from '../../inventory/load.ts'
import { planLab, type PlannedHost } from '../../overlay/plan.ts'
import { readHoldings } from '../holdings.ts'
import type { Holding, Kind } from '../kinds.ts'
import type { SessionOf } from '../reach.ts'

/** Devices, and what was written about the peers; not the pods and their bridge, which are the same for every backend. */
const counted = [
  'fou',
  'links',
  'routes',
  'neighbours',
  'fdb',
  'peers',
  'filters',
  'iptables',
] as const satisfies readonly Kind[]

/** By the tables of a planned host's state. */
export function plannedEntries({ state }: Pick<PlannedHost, 'state'>): number {
  return counted.reduce(
    (sum, table) =>
      sum + Object.keys(state[table] ?? {}).filter((key) => table !== 'links' || isBackends(key)).length,
    0,
  )
}

function isBackends(link: string): boolean {
  return /^flannel[.0-9]/.test(link)
}

/** The same lab with so many hosts of a kind, by overlab; or why there is no such lab. Pure. */
export function plannedFor(
  { name, underlay, mtu, overlay }: Lab,
  machine: MachineKind,
  hosts: number,
): number | string {
  const text = stringify({
    lab: { name, underlay, mtu, overlay },
    all: { hosts: { [`node[1:${hosts}]`]: null }, vars: { machine } },
  })
  try {
    const [first] = Object.values(planLab(parseInventory(text, 'lab.yaml')).hosts)
    return plannedEntries(first!)
  } catch (error) {
    if (!(error instanceof InventoryErrors)) throw error
    return `${overlay.Network} and ${underlay} have no room for ${hosts} hosts`
  }
}

/** What overlab and flanneld put into the kernel of a running host. @throws HostError */
export async function countEntries(
  sessionOf: SessionOf,
  host: PlannedHost,
  signal?: AbortSignal,
): Promise<number> {
  const session = await sessionOf(host.name)
  const ofKinds = await Promise.all(
    counted.map(
      async (kind) =>
        (await readHoldings(session, kind, host, signal)).filter((one) => isPart(kind, one)).length,
    ),
  )
  return ofKinds.reduce((sum, count) => sum + count, 0)
}

function isPart(kind: (typeof counted)[number], { entry, by }: Holding): boolean {
  if (kind === 'links') return isBackends(entry)
  return by === 'overlab' || by.startsWith('flanneld')
}
