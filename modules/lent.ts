/**
 * Hosts that another program fills. Its rows are known, so that who fills a host can change without a change of the
 * host; but while it is there, overlab puts none of them, and takes none away. Pure.
 */
import { unclaimed } from './owner.ts'
import type { HostState, Table, TableName } from './state.ts'

/** What flanneld writes: these tables, and what is on its links. */
const others: ReadonlySet<TableName> = new Set(['neighbours', 'fdb', 'iptables', 'routes'])
const byLink: ReadonlySet<TableName> = new Set(['addresses', 'sysctls'])
/** Of those, the tables whose rows carry overlab's mark. */
const marked: ReadonlySet<TableName> = new Set(['neighbours', 'routes'])

/** Of a host whose links `lent` another program fills: what overlab puts there itself. */
export function ownPart(state: HostState, lent: readonly string[]): HostState {
  return filterRows(state, (table, key) => !isOthers(table, key, lent))
}

/** Of the other program's rows, those that are planned; what else it has is its own matter. */
export function knownPart(held: HostState, planned: HostState, lent: readonly string[]): HostState {
  return filterRows(held, (table, key) => !isOthers(table, key, lent) || planned[table]?.[key] !== undefined)
}

/**
 * What a host shall hold when another program is about to fill it: beside `own`, the rows of `planned` that are there
 * already, without overlab's mark. The other program finds them, and no packet notices.
 */
export function handedOver(own: HostState, planned: HostState, held: HostState): HostState {
  const left = filterRows(planned, (table, key, line) => !own[table]?.[key] && held[table]?.[key] === line)
  const tables = new Set([...Object.keys(own), ...Object.keys(left)]) as Set<TableName>
  return Object.fromEntries(
    [...tables].map((table) => [table, { ...own[table], ...withoutMark(table, left[table] ?? {}) }]),
  )
}

function withoutMark(table: TableName, rows: Table): Table {
  if (!marked.has(table)) return rows
  return Object.fromEntries(Object.entries(rows).map(([key, line]) => [key, `${line} ${unclaimed}`]))
}

function isOthers(table: TableName, key: string, lent: readonly string[]): boolean {
  // `10.244.1.0/32 dev flannel.1`, `net/ipv6/conf/flannel.1/accept_ra`
  return others.has(table) || (byLink.has(table) && key.split(/[ /]/).some((word) => lent.includes(word)))
}

function filterRows(
  state: HostState,
  keep: (table: TableName, key: string, line: string) => boolean,
): HostState {
  return Object.fromEntries(
    Object.entries(state).flatMap(([table, rows]) => {
      const kept = Object.entries(rows).filter(([key, line]) => keep(table as TableName, key, line))
      return kept.length > 0 ? [[table, Object.fromEntries(kept)]] : []
    }),
  )
}
