#!/usr/bin/env node
/** The overlab command: one file a verb. */
import { defineCommand, runCommand, showUsage, type CommandDef } from 'citty'
import { suggestion } from '../inventory/suggest.ts'
import { InventoryErrors } from '../inventory/mistakes.ts'
import { HostError } from '../remote/errors.ts'
import { UserError } from './user-error.ts'

/** Loaded when asked for: a verb pays for what it needs only. */
const verbs: Record<string, () => Promise<CommandDef>> = {
  up: async () => (await import('./pulumi.ts')).pulumiCommands['up']!,
  preview: async () => (await import('./pulumi.ts')).pulumiCommands['preview']!,
  refresh: async () => (await import('./pulumi.ts')).pulumiCommands['refresh']!,
  destroy: async () => (await import('./pulumi.ts')).pulumiCommands['destroy']!,
  inventory: async () => (await import('./inventory.ts')).inventoryCommand as CommandDef,
  plan: async () => (await import('./plan.ts')).planCommand as CommandDef,
  show: async () => (await import('./show.ts')).showCommand as CommandDef,
  ping: async () => (await import('./ping.ts')).pingCommand as CommandDef,
  exec: async () => (await import('./exec.ts')).execCommand as CommandDef,
  trace: async () => (await import('./trace.ts')).traceCommand as CommandDef,
  doctor: async () => (await import('./doctor.ts')).doctorCommand as CommandDef,
}

const overlab = defineCommand({
  meta: {
    name: 'overlab',
    version: '0.1.0',
    description: "Container overlay labs (flannel's vxlan, host-gw, udp) that run without a daemon",
  },
  subCommands: verbs,
})

async function main(words: readonly string[]): Promise<void> {
  const [verb, ...rest] = words
  if (!verb || verb === '--help' || verb === '-h' || verb === 'help') return showUsage(overlab)
  if (verb === '--version') return void process.stdout.write('0.1.0\n')
  const load = verbs[verb]
  if (!load) throw new UserError(`there is no verb ${verb}`, `${suggestion(verb, Object.keys(verbs))} overlab --help lists them`)
  const command = await load()
  // What stands behind `--` is a command of the user's; its own --help is not ours.
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (own.includes('--help') || own.includes('-h')) return showUsage(command, overlab)
  await runCommand(command, { rawArgs: [...rest] })
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`overlab: ${wordsOf(error)}\n`)
  process.exitCode = error instanceof UserError ? error.status : 1
}

/** A user's mistake or a host's failure is said in its own words; anything else is a fault of overlab, with its trace. */
function wordsOf(error: unknown): string {
  if (error instanceof InventoryErrors) return `the inventory is wrong; nothing was changed\n${error.message}`
  if (error instanceof UserError || error instanceof HostError) return error.message
  // citty's own errors of usage
  if (error instanceof Error && error.name === 'CLIError') return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
