import { modules } from './all.ts'
import { readdresses, recreates } from './link.ts'
import type { Change } from './module.ts'
import { onNoBridge } from './pod.ts'
import type { HostState, Table, TableName } from './state.ts'

/**
 * What must change on a host, in the modules' order; empty = nothing to do. Pure.
 *
 * Some changes take others' rows along: a link that is made anew loses everything on it, one that gets another MAC
 * its neighbours, and an address that is made anew the routes that have it as their source. Those rows count as
 * missing, so that one apply is enough and the preview says what is put back.
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
  /** What a row must say to be lost: ` dev flannel.1`, ` src 10.244.1.1`. */
  readonly words: string
  readonly tables: ReadonlySet<TableName>
}

const onLink: ReadonlySet<TableName> = new Set([
  'addresses',
  'neighbours',
  'fdb',
  'sysctls',
  'pods',
  'routes',
])

function lossesBy(change: Change): Loss[] {
  if (change.table === 'links') {
    if (recreates(change)) return [{ words: `dev ${change.key}`, tables: onLink }]
    if (readdresses(change)) return [{ words: `dev ${change.key}`, tables: new Set(['neighbours']) }]
  }
  if (change.table === 'addresses' && change.op === 'change')
    return [{ words: `src ${change.key.split('/')[0]}`, tables: new Set(['routes']) }]
  return []
}

function standing(table: TableName, rows: Table, losses: readonly Loss[]): Table {
  const words = losses.filter((loss) => loss.tables.has(table)).map((loss) => loss.words)
  if (words.length === 0) return rows
  return Object.fromEntries(
    Object.entries(rows).flatMap(([key, line]) => {
      const lost = words.find((one) => says(table, key, line, one))
      if (lost === undefined) return [[key, line]]
      // A pod whose bridge goes is still there, only on no bridge.
      return table === 'pods' ? [[key, line.replace(lost, `dev ${onNoBridge}`)]] : []
    }),
  )
}

function says(table: TableName, key: string, line: string, words: string): boolean {
  if (table === 'sysctls') return key.split('/').includes(words.replace('dev ', ''))
  return ` ${key} ${line} `.includes(` ${words} `)
}
