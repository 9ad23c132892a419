/** A host's one-shot acts: those of its groups, outermost first, then its own; an equal act once. */
import { createHash } from 'node:crypto'
import { pathBeside } from './files.ts'
import type { Files } from './files.ts'
import type { GroupedHost, Variable } from './groups.ts'
import type { Act } from './inventory.ts'
import type { Path, Report } from './mistakes.ts'
import { resolved } from './references.ts'
import type { EnvironmentValue } from './references.ts'
import { environmentSources, variables } from './schema.ts'
import type { Name } from './values.ts'

/** An act with the place of it, and what says whether another one is the same. */
interface FoundAct {
  readonly act: Act
  readonly content: string
  readonly path: Path
}

/**
 * Acts of hosts. Pure but for `files`; paths are relative to the inventory file. Lists that hosts share are read
 * once, and hosts with the same lists share their acts.
 */
export function actsReader(files: Files, report: Report): (host: GroupedHost) => readonly Act[] {
  const lists = new Map<Variable, readonly FoundAct[]>()
  const found = (variable: Variable) => {
    const known = lists.get(variable) ?? readActs(variable, files, report)
    lists.set(variable, known)
    return known
  }
  let before: { of: readonly Variable[]; acts: readonly Act[] } | undefined
  return ({ name, bootstraps }) => {
    if (before?.of.length === bootstraps.length && before.of.every((one, at) => one === bootstraps[at]))
      return before.acts
    const acts = merge(name, bootstraps.map(found), report)
    before = { of: bootstraps, acts }
    return acts
  }
}

function merge(host: Name, lists: readonly (readonly FoundAct[])[], report: Report): readonly Act[] {
  const acts = new Map<string, FoundAct>()
  for (const found of lists.flat()) {
    const { name } = found.act
    const same = acts.get(name)
    if (!same) acts.set(name, found)
    else if (same.content !== found.content) {
      const what = `${host} has another act of the name ${name}`
      report({ path: [...found.path, 'name'], what, todo: 'rename one of the two' })
    }
  }
  return [...acts.values()].map(({ act }) => act)
}

/** Takes what has the right form and leaves out the rest, which the schema has reported. */
function readActs({ value, path }: Variable, files: Files, report: Report): FoundAct[] {
  const { file, exists } = files
  if (!Array.isArray(value)) return []
  return value.flatMap((one: unknown, index): FoundAct[] => {
    const result = variables.bootstrap.element.safeParse(one)
    if (!result.success) return []
    const { name, ...given } = result.data
    // Also sorted by what it is and not by where it stands, so that a new act renames no other.
    const content = JSON.stringify(given, Object.keys(given).toSorted().concat(environmentKeys(given)))
    const kind = 'run' in given ? 'run' : 'copy'
    const key = name ?? `${kind}-${createHash('sha256').update(content).digest('hex').slice(0, 8)}`
    const at = [...path, index]
    if ('run' in given) checkReferences(given.environment, files, [...at, 'environment'], report)
    if ('copy' in given && !exists(pathBeside(file, given.copy)))
      report({
        path: [...at, 'copy'],
        what: `there is no ${given.copy} beside the inventory`,
        todo: `make ${pathBeside(file, given.copy)}, or correct the path`,
      })
    return [{ act: complete(key as Name, given, file), content, path: at }]
  })
}

type GivenAct =
  | {
      run: string
      delete?: string | undefined
      triggers?: string[] | undefined
      environment?: Readonly<Record<string, EnvironmentValue>> | undefined
    }
  | { copy: string; to: string; triggers?: string[] | undefined }

function environmentKeys(act: GivenAct): string[] {
  return 'run' in act ? [...Object.keys(act.environment ?? {}).toSorted(), ...environmentSources] : []
}

function checkReferences(
  environment: Readonly<Record<string, EnvironmentValue>> = {},
  { file, sources }: Files,
  path: Path,
  report: Report,
): void {
  if (!sources) return
  for (const [key, value] of Object.entries(environment)) {
    const found = resolved(located(value, file), sources)
    if ('what' in found) report({ path: [...path, key], ...found })
  }
}

/** The same reference, from the working folder. */
function located(value: EnvironmentValue, file: string): EnvironmentValue {
  if (typeof value === 'string' || 'from_env' in value || value.from_file.startsWith('~/')) return value
  return { from_file: pathBeside(file, value.from_file) }
}

function complete(name: Name, act: GivenAct, file: string): Act {
  const triggers = act.triggers ?? []
  if ('copy' in act) return { name, copy: pathBeside(file, act.copy), to: act.to, triggers }
  const environment = Object.fromEntries(
    Object.entries(act.environment ?? {}).map(([key, value]) => [key, located(value, file)]),
  )
  return {
    name,
    command: act.run,
    ...(act.delete !== undefined && { delete: act.delete }),
    triggers,
    environment,
  }
}
