/** The faults, in the order of the matrix' rows. */
import { daemonFaults } from './daemons.ts'
import { entryFaults } from './entries.ts'
import type { Fault } from './fault.ts'
import { linkFaults } from './links.ts'
import { machineFaults } from './machines.ts'

export const faults: readonly Fault[] = [...daemonFaults, ...entryFaults, ...linkFaults, ...machineFaults]
