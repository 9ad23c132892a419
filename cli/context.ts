/** What a verb works on: the selected stack, its inventory and plan, and how its hosts are reached. */
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, relative } from 'node:path'
import { parse } from 'yaml'
import type { Inventory } from '../inventory/inventory.ts'
import { loadInventory } from '../inventory/load.ts'
import { overridesFrom } from '../inventory/overrides.ts'
import { suggestion } from '../inventory/suggest.ts'
import { targets } from '../machines/namespace.ts'
import { planLab, type LabPlan, type PlannedHost } from '../overlay/plan.ts'
import type { Target } from '../remote/target.ts'
import { fromRepository } from '../tools/paths.ts'
import { currentStack } from '../tools/stacks.ts'
import { UserError } from './user-error.ts'

/** The options that every verb about a lab has. */
export const labArgs = {
  stack: {
    type: 'string',
    description: 'The stack to work on; default: the selected one (pulumi stack select)',
    valueHint: 'NAME',
  },
  json: { type: 'boolean', description: 'JSON on standard output, for machines' },
} as const

export interface LabContext {
  readonly stack: string
  readonly inventory: Inventory
  readonly plan: LabPlan
}

/**
 * The lab of a stack, from its inventory and config alone.
 * @throws UserError where no stack is selected or it has no config; InventoryErrors where the inventory is wrong
 */
export function labContext(args: { readonly stack?: string | undefined }): LabContext {
  const stack = args.stack ?? currentStack()
  if (!stack)
    throw new UserError('no stack is selected', 'npx pulumi stack select vxlan, or name one with --stack')
  const config = stackConfig(stack)
  const file = config('inventory') ?? 'inventory/lab.yaml'
  const path = isAbsolute(file) ? file : relative(process.cwd(), fromRepository(file))
  const inventory = loadInventory(path, { overrides: overridesFrom(config) })
  return { stack, inventory, plan: planLab(inventory) }
}

/** The stack's own config, read as Pulumi would; values that are no text come as JSON. */
function stackConfig(stack: string): (key: string) => string | undefined {
  const file = fromRepository('stacks', `Pulumi.${stack}.yaml`)
  if (!existsSync(file))
    throw new UserError(
      `there is no stack ${stack}: ${relative(process.cwd(), file)} is missing`,
      `npx pulumi stack ls shows the stacks; npx pulumi stack init ${stack} makes it`,
    )
  const { config = {} } = (parse(readFileSync(file, 'utf8')) ?? {}) as { config?: Record<string, unknown> }
  return (key) => {
    const value = config[`overlab:${key}`]
    return value === undefined || typeof value === 'string' ? value : JSON.stringify(value)
  }
}

/**
 * How every host of the running lab is reached, in the inventory's order.
 * @throws UserError where the lab is not up, or a host of the inventory is not in it
 */
export async function labTargets({ stack, inventory }: LabContext): Promise<Record<string, Target>> {
  const lab = inventory.lab.name
  const running = new Map((await targets(lab)).map((target) => [target.name, target]))
  if (running.size === 0)
    throw new UserError(`the lab ${lab} is not up`, `npx overlab up --stack ${stack} builds it`)
  return Object.fromEntries(
    inventory.hosts.map(({ name }) => {
      const target = running.get(name)
      if (!target)
        throw new UserError(`${name} is in the inventory, but not in the running lab ${lab}`, 'npx overlab up builds it')
      return [name, target]
    }),
  )
}

/** The hosts that the words name; all where there are none. @throws UserError for a word that names no host */
export function chosenHosts({ plan }: LabContext, words: readonly string[]): PlannedHost[] {
  if (words.length === 0) return Object.values(plan.hosts)
  return words.map((word) => plan.hosts[word] ?? notThere('host', word, Object.keys(plan.hosts)))
}

/** @throws UserError always: no `kind` has that name; with the nearest one that there is */
export function notThere(kind: string, word: string, known: readonly string[]): never {
  throw new UserError(`there is no ${kind} ${word}`, suggestion(word, known))
}
