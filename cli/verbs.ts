/** The verbs. Each is loaded when it is asked for: a verb pays for what it needs only. */
import type { Command } from 'commander'

/** Gives a verb's command its words, options, help and action. */
export type Declare = (command: Command) => void

export interface Entry {
  readonly summary: string
  readonly load: () => Promise<Declare>
}

const pulumi = async (verb: 'up' | 'preview' | 'refresh' | 'destroy') =>
  (await import('./pulumi.ts')).pulumiVerbs[verb]

export const verbs: Readonly<Record<string, Entry>> = {
  up: {
    summary: 'Builds the lab, or brings it to what the inventory says now',
    load: () => pulumi('up'),
  },
  preview: {
    summary: 'Shows what `up` would do, object by object, and does nothing',
    load: () => pulumi('preview'),
  },
  refresh: {
    summary: "Reads what the hosts really hold into Pulumi's state; shows what was changed by hand",
    load: () => pulumi('refresh'),
  },
  destroy: {
    summary: 'Takes the lab away; nothing is left on this machine',
    load: () => pulumi('destroy'),
  },
  inventory: {
    summary: 'The inventory as overlab understands it: list, one host, the groups',
    load: async () => (await import('./inventory.ts')).inventoryVerb,
  },
  plan: {
    summary: 'What each host will hold, from the inventory alone; no host is asked',
    load: async () => (await import('./plan.ts')).planVerb,
  },
  graph: {
    summary: "Draws the lab: hosts, pods, the backend's devices, the underlay, the tunnels",
    load: async () => (await import('./graph.ts')).graphVerb,
  },
  show: {
    summary: 'What the kernels hold now, all hosts in one table, and who put each entry there',
    load: async () => (await import('./show.ts')).showVerb,
  },
  ping: {
    summary: 'Every host and pod to every host and pod: round-trip times and loss',
    load: async () => (await import('./ping.ts')).pingVerb,
  },
  trace: {
    summary: 'Follows one packet there and back: every decision, and the entry that made it',
    load: async () => (await import('./trace.ts')).traceVerb,
  },
  compare: {
    summary: 'Builds labs of several variants, measures them in turn, one table',
    load: async () => (await import('./compare.ts')).compareVerb,
  },
  report: {
    summary: 'One HTML page of what was measured: findings, table, charts, faults, the lab',
    load: async () => (await import('./report.ts')).reportVerb,
  },
  freeze: {
    summary: 'Writes the static inventory that holds a lab which runs under flanneld',
    load: async () => (await import('./freeze.ts')).freezeVerb,
  },
  explain: {
    summary: 'Eight questions about overlays, answered by this lab: evidence, experiment, verdict',
    load: async () => (await import('./explain.ts')).explainVerb,
  },
  survive: {
    summary: 'What each fault costs each backend, static and by flanneld, and what heals it',
    load: async () => (await import('./survive.ts')).surviveVerb,
  },
  exec: {
    summary: 'Runs a command on a host or in a pod, over SSH',
    load: async () => (await import('./exec.ts')).execVerb,
  },
  doctor: {
    summary: 'What this machine offers: tools, versions, kernel features per backend',
    load: async () => (await import('./doctor.ts')).doctorVerb,
  },
}
