/** The eight questions. */
import { outerAddresses } from './outer-addresses.ts'
import { peerLookup } from './peer-lookup.ts'
import type { Question } from './question.ts'

export const questions: readonly Question[] = [outerAddresses, peerLookup]
