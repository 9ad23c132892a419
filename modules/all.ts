/** All modules, in the order in which the kernel is told; the way back is the reverse. */
import { addressModule } from './address.ts'
import { bootModule } from './boot.ts'
import { fdbModule } from './fdb.ts'
import { filterModule } from './filter.ts'
import { fouModule } from './fou.ts'
import { impairmentModule } from './impairment.ts'
import { iptablesModule } from './iptables.ts'
import { linkModule } from './link.ts'
import type { Module } from './module.ts'
import { neighbourModule } from './neighbour.ts'
import { offloadModule } from './offload.ts'
import { peerModule } from './peer.ts'
import { podModule } from './pod.ts'
import { routeModule } from './route.ts'
import { tableNames, type TableName } from './state.ts'
import { sysctlModule } from './sysctl.ts'

const byTable: Readonly<Record<TableName, Module>> = {
  fou: fouModule,
  links: linkModule,
  addresses: addressModule,
  neighbours: neighbourModule,
  fdb: fdbModule,
  sysctls: sysctlModule,
  offloads: offloadModule,
  filters: filterModule,
  peers: peerModule,
  iptables: iptablesModule,
  pods: podModule,
  routes: routeModule,
  impairments: impairmentModule,
  boot: bootModule,
}

export const modules: readonly Module[] = tableNames.map((table) => byTable[table])

export function moduleOf(table: TableName): Module {
  return byTable[table]
}
