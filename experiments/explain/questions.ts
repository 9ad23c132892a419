/** The eight questions. */
import { outerAddresses } from './outer-addresses.ts'
import { peerLookup } from './peer-lookup.ts'
import { iptablesMappings } from './iptables-mappings.ts'
import { routeCache } from './route-cache.ts'
import { routingTables } from './routing-tables.ts'
import type { Question } from './question.ts'

export const questions: readonly Question[] = [outerAddresses, peerLookup, routeCache, iptablesMappings, routingTables]
