/** A resource whose code is loaded at the first call that needs it. */
import type { Context, ResourceHandlers } from '../server/handlers.ts'

/**
 * The engine starts a plugin more often than it uses it: once to refresh, and once more only to ask for the
 * program's provider. So a start loads what is needed to answer, and no SSH, no schemas, no modules.
 */
export function lazy(load: () => Promise<Required<ResourceHandlers>>): Required<ResourceHandlers> {
  let loaded: Promise<Required<ResourceHandlers>> | undefined
  const all = async ({ urn }: Context) => {
    await printCommandsOf(urn)
    return (loaded ??= load())
  }
  return {
    check: async (...args) => (await all(args[2])).check(...args),
    diff: async (...args) => (await all(args[3])).diff(...args),
    create: async (...args) => (await all(args[1])).create(...args),
    read: async (...args) => (await all(args[3])).read(...args),
    update: async (...args) => (await all(args[3])).update(...args),
    delete: async (...args) => (await all(args[2])).delete(...args),
  }
}

let known: string | undefined

/** Messages print commands for the stack of the resource: `urn:pulumi:STACK::PROJECT::...`. One process serves one stack. */
async function printCommandsOf(urn: string): Promise<void> {
  const [, stack, project] = /^urn:pulumi:([^:]+)::([^:]+)::/.exec(urn) ?? []
  if (stack === undefined || stack === known) return
  known = stack
  const { projectName, selectedStack } = await import('../../tools/stacks.ts')
  const { printCommandsFor } = await import('../../tools/command-line.ts')
  const own = project === projectName()
  printCommandsFor(stack, own ? selectedStack() : undefined, !own)
}
