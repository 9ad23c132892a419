/** A host's one-shot acts: those of its groups, outermost first, then its own; an equal act once. */
import { createHash } from 'node:crypto'
import { pathBeside } from './files.ts'
import type { Files } from './files.ts'
import type { GroupedHost } from './groups.ts'
import type { Act } from './inventory.ts'
import type { Report } from './mistakes.ts'
import { variables } from './schema.ts'
import type { Name } from './values.ts'

/** Pure but for `exists`. Sources are relative to the inventory file. */
export function actsOf(host: GroupedHost, { file, exists }: Files, report: Report): Act[] {
  const acts = new Map<string, { act: Act; content: string }>()
  for (const { value, path } of host.bootstraps) {
    if (!Array.isArray(value)) continue
    value.forEach((one: unknown, index) => {
      const result = variables.bootstrap.element.safeParse(one)
      if (!result.success) return
      const { name, ...given } = result.data
      // Also sorted by what it is and not by where it stands, so that a new act renames no other.
      const content = JSON.stringify(given, Object.keys(given).toSorted().concat(environmentKeys(given)))
      const kind = 'run' in given ? 'run' : 'copy'
      const key = name ?? `${kind}-${createHash('sha256').update(content).digest('hex').slice(0, 8)}`
      const same = acts.get(key)
      if (same) {
        if (same.content !== content) {
          const what = `${host.name} has another act of the name ${key}`
          report({ path: [...path, index, 'name'], what, todo: 'rename one of the two' })
        }
        return
      }
      acts.set(key, { content, act: complete(key as Name, given, file) })
      if ('copy' in given && !exists(pathBeside(file, given.copy))) {
        const what = `there is no ${given.copy} beside the inventory`
        report({
          path: [...path, index, 'copy'],
          what,
          todo: `make ${pathBeside(file, given.copy)}, or correct the path`,
        })
      }
    })
  }
  return [...acts.values()].map(({ act }) => act)
}

type GivenAct =
  | {
      run: string
      delete?: string | undefined
      triggers?: string[] | undefined
      environment?: Record<string, string> | undefined
    }
  | { copy: string; to: string; triggers?: string[] | undefined }

function environmentKeys(act: GivenAct): string[] {
  return 'run' in act ? Object.keys(act.environment ?? {}).toSorted() : []
}

function complete(name: Name, act: GivenAct, file: string): Act {
  const triggers = act.triggers ?? []
  if ('copy' in act) return { name, copy: pathBeside(file, act.copy), to: act.to, triggers }
  const environment = act.environment ?? {}
  return {
    name,
    command: act.run,
    ...(act.delete !== undefined && { delete: act.delete }),
    triggers,
    environment,
  }
}
