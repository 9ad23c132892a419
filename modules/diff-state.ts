import { modules } from './all.ts'
import { readdresses, recreates } from './link.ts'
import type { Change } from './module.ts'
import type { HostState, Table, TableName } from './state.ts'

/**
 * What must change on a host, in the modules' order; empty = nothing to do. Pure.
 *
 * Some changes take others' rows along: a link that is made anew loses everything on it, one that gets another MAC
 * its neighbours, and an address that is made anew may take its link's routes. Those rows count as missing, so that
 * one apply is enough and the preview says what is put back.
 */
export function diffState(current: HostState, desired: HostState): Change[] {
  const lost: Loss[] = []
  return modules.flatMap((module) => {
    const { table } = module
    const changes = module.diff(standing(table, current[table] ?? {}, lost), desired[table] ?? {})
    for (const change of changes) lost.push(...lossesBy(change))
    return changes
  })
}

interface Loss {
  readonly dev: string
  readonly tables: ReadonlySet<TableName>
}

const onLink: ReadonlySet<TableName> = new Set([
  'addresses',
  'neighbours',
  'fdb',
  'sysctls',
  'filters',
  'routes',
])

function lossesBy(change: Change): Loss[] {
  if (change.table === 'links') {
    if (recreates(change)) return [{ dev: change.key, tables: onLink }]
    if (readdresses(change)) return [{ dev: change.key, tables: new Set(['neighbours']) }]
  }
  // Without its last address a link has no routes; and a route's `src` may have been this one.
  if (change.table === 'addresses' && change.op === 'change')
    return [{ dev: change.key.split(' dev ')[1]!, tables: new Set(['routes']) }]
  return []
}

function standing(table: TableName, rows: Table, lost: readonly Loss[]): Table {
  const gone = new Set(lost.filter((loss) => loss.tables.has(table)).map((loss) => loss.dev))
  if (gone.size === 0) return rows
  return Object.fromEntries(
    Object.entries(rows).filter(([key, line]) => !devicesOf(table, key, line).some((dev) => gone.has(dev))),
  )
}

function devicesOf(table: TableName, key: string, line: string): string[] {
  if (table === 'sysctls') return key.split('/')
  if (table === 'filters') return [key.split(' ')[0]!]
  return [...`${key} ${line}`.matchAll(/ dev (\S+)/g)].map((match) => match[1]!)
}
