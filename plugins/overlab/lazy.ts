/** A resource whose code is loaded at the first call that needs it. */
import type { ResourceHandlers } from '../server/handlers.ts'

/**
 * The engine starts a plugin more often than it uses it: once to refresh, and once more only to ask for the
 * program's provider. So a start loads what is needed to answer, and no SSH, no schemas, no modules.
 */
export function lazy(load: () => Promise<Required<ResourceHandlers>>): Required<ResourceHandlers> {
  let loaded: Promise<Required<ResourceHandlers>> | undefined
  const all = () => (loaded ??= load())
  return {
    check: async (...args) => (await all()).check(...args),
    diff: async (...args) => (await all()).diff(...args),
    create: async (...args) => (await all()).create(...args),
    read: async (...args) => (await all()).read(...args),
    update: async (...args) => (await all()).update(...args),
    delete: async (...args) => (await all()).delete(...args),
  }
}
