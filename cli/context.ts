/** What a verb works on: the selected stack and its inventory. No host is asked. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isAbsolute, relative } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Host, Inventory } from '../inventory/inventory.ts'
import { loadInventory, overrideNotes, type LabOverrides } from '../inventory/load.ts'
import { overridesFrom } from '../inventory/overrides.ts'
import { suggestion } from '../inventory/suggest.ts'
import { printCommandsFor, pulumiCommand } from '../tools/command-line.ts'
import { fromRepository } from '../tools/paths.ts'
import { currentStack, selectedStack } from '../tools/stacks.ts'
import { sayLab } from './first-line.ts'
import type { LabOptions } from './lab-options.ts'
import { complain } from './output.ts'
import { callerFrom } from './project.ts'
import { UserError } from './user-error.ts'

export interface LabContext {
  readonly stack: string
  readonly inventory: Inventory
  /** What the stack's configuration changes in the file's lab block; `inventory` has it. */
  readonly overrides: LabOverrides
}

/**
 * The lab of a stack, from its inventory and config alone; its name and the stack's are the verb's first line.
 * From here on printed commands act on it.
 * @throws UserError where there is no such stack; InventoryErrors where the inventory is wrong
 */
export function labContext(options: LabOptions): LabContext {
  callerFrom()
  const stack = options.stack ?? currentStack()
  if (!stack)
    throw new UserError(
      'no stack is selected',
      `${pulumiCommand('stack select vxlan')}, or name one with --stack`,
    )
  printCommandsFor(stack, selectedStack())
  const context = contextOf(stack, options.stack !== undefined)
  sayLab(context.inventory.lab.name, stack, options)
  if (!options.json && !options.quiet) sayOverridden(stack, context)
  return context
}

/**
 * The same without a word to the user.
 * @param named by the user, so that it must have a config
 */
export function contextOf(stack: string, named: boolean): LabContext {
  const config = stackConfig(stack, named)
  const file = config('inventory') ?? defaultInventory()
  const path = isAbsolute(file) ? file : relative(process.cwd(), fromRepository(file))
  const overrides = overridesFrom(config)
  return { stack, inventory: loadInventory(path, { overrides }), overrides }
}

/** On standard error, what the stack's configuration replaces in the file: an edit there has no effect. */
function sayOverridden(stack: string, { inventory, overrides }: LabContext): void {
  const path = fromRepository('stacks', `Pulumi.${stack}.yaml`)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const config = { file: relative(process.cwd(), path), text }
  for (const note of overrideNotes(inventory.file, overrides, config)) complain(`note: ${note}`)
}

const projectFile = z.object({ config: z.object({ inventory: z.object({ default: z.string() }) }) })
const stackFile = z.object({ config: z.record(z.string(), z.unknown()).nullish() }).nullish()

/** `config.inventory.default` of Pulumi.yaml. */
function defaultInventory(): string {
  const project = projectFile.safeParse(parse(readFileSync(fromRepository('Pulumi.yaml'), 'utf8')))
  return project.data?.config.inventory.default ?? 'inventory/lab.yaml'
}

/** The stack's own config, read as Pulumi would; values that are no text come as JSON. */
function stackConfig(stack: string, named: boolean): (key: string) => string | undefined {
  const file = fromRepository('stacks', `Pulumi.${stack}.yaml`)
  if (!existsSync(file)) {
    // A stack that Pulumi has selected exists, and needs no config of its own.
    if (!named) return () => undefined
    throw new UserError(
      `there is no stack ${stack}: ${relative(process.cwd(), file)} is missing`,
      suggestion(stack, stacks()),
    )
  }
  const config = stackFile.safeParse(parse(readFileSync(file, 'utf8'))).data?.config ?? {}
  return (key) => {
    const value = config[`overlab:${key}`]
    return value === undefined || typeof value === 'string' ? value : JSON.stringify(value)
  }
}

/** The stacks that have a config. */
function stacks(): string[] {
  return readdirSync(fromRepository('stacks'))
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort()
}

/**
 * The hosts that the words name, in the inventory's order; all where there are none.
 * @param instead what may have been meant besides a host
 * @throws UserError for a word that names no host
 */
export function chosenHosts(
  { inventory }: LabContext,
  words: readonly string[],
  instead: readonly string[] = [],
): readonly Host[] {
  const names: readonly string[] = inventory.hosts.map(({ name }) => name)
  for (const word of words) if (!names.includes(word)) notThere('host', word, [...names, ...instead])
  return words.length === 0 ? inventory.hosts : inventory.hosts.filter(({ name }) => words.includes(name))
}

/** @throws UserError always: no `kind` has that name; with the nearest one that there is */
export function notThere(kind: string, word: string, known: readonly string[]): never {
  throw new UserError(`there is no ${kind} ${word}`, suggestion(word, known))
}
