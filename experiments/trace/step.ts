/** What a trace says: one step a decision, in the order in which the packet meets them. */
import type { TableName } from '../../modules/state.ts'
import type { Layer } from './packet.ts'
import type { Rule } from './rules.ts'

export const topics = [
  'route',
  'neighbour',
  'bridge',
  'iptables',
  'firewall',
  'peer',
  'FDB entry',
  'encapsulation',
  'wire',
  'decapsulation',
  'address translation',
  'arrival',
  'not known',
] as const
export type Topic = (typeof topics)[number]

export type Leg = 'there' | 'back'

export interface Step {
  readonly leg: Leg
  /** The pod, the host, or the world outside, that decides. */
  readonly actor: string
  readonly topic: Topic
  readonly decision: string
  /** The kernel's entry that decided, as the kernel's own tool prints it. */
  readonly entry?: string
  /** Who put the entry there. */
  readonly by?: string
  /** The command that shows the same. */
  readonly see?: string
  /** The packet's headers at this point, from a capture; `notCaptured` says why there are none. */
  readonly packet?: readonly Layer[]
  readonly notCaptured?: string
  readonly rules?: readonly (Rule & { readonly by: string })[]
  /** The packet goes no further, by what the kernel holds. */
  readonly fault?: Fault
  /** The entry is there, but it is not the one that it should be. */
  readonly differs?: string
}

export interface Fault {
  readonly host: string
  readonly what: string
  /** The plan's own table and key of it, where it is in the plan. */
  readonly table?: TableName
  readonly key?: string
  /** Who puts it there, by the plan of its host: overlab what it pushes, flanneld the rest. */
  readonly owner?: 'overlab' | 'flanneld'
  /** What is missing and what comes of it; one sentence. */
  readonly text: string
  readonly remedy: string
}
