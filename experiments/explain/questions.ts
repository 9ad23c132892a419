/** The eight questions. */
import { daemonKilled } from './daemon-killed.ts'
import { etcdQueries } from './etcd-queries.ts'
import { iptablesMappings } from './iptables-mappings.ts'
import { kernelFinds } from './kernel-finds.ts'
import { outerAddresses } from './outer-addresses.ts'
import { peerLookup } from './peer-lookup.ts'
import type { Question } from './question.ts'
import { routeCache } from './route-cache.ts'
import { routingTables } from './routing-tables.ts'

export const questions: readonly Question[] = [
  outerAddresses,
  peerLookup,
  daemonKilled,
  kernelFinds,
  routeCache,
  iptablesMappings,
  etcdQueries,
  routingTables,
]
