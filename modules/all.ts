/** All modules, in the order in which the kernel is told; the way back is the reverse. */
import { addresses } from './address.ts'
import { fdb } from './fdb.ts'
import { links } from './link.ts'
import type { Module } from './module.ts'
import { neighbours } from './neighbour.ts'
import { routes } from './route.ts'
import { tableNames, type TableName } from './state.ts'
import { sysctls } from './sysctl.ts'

const byTable: Readonly<Partial<Record<TableName, Module>>> = {
  links,
  addresses,
  neighbours,
  fdb,
  sysctls,
  routes,
}

export const modules: readonly Module[] = tableNames.flatMap((table) => byTable[table] ?? [])

export function moduleOf(table: TableName): Module {
  const module = byTable[table]
  if (!module) throw new Error(`no module knows the table ${table}`)
  return module
}
