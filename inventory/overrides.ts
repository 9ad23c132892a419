/** What a stack's configuration changes in an inventory's `lab` block. */
import { backendKeys } from './schema.ts'
import type { Path } from './mistakes.ts'
import { valueAt } from './structure.ts'

export interface LabOverrides {
  /** The lab's name. Not called so, since Pulumi takes a project's config `name` for its provider's of the same name. */
  readonly lab?: string
  readonly underlay?: string
  readonly mtu?: number
  /** These three: of the hosts that do not say otherwise themselves. */
  readonly machine?: string
  readonly control?: string
  readonly datapath?: string
  /** Replaces `Backend` by one of this type; of the file's other keys those stay that the new type has too. */
  readonly backend?: string
  /** Laid over the file's net-conf, key by key (JSON merge patch, RFC 7386): a null takes the file's key away. */
  readonly overlay?: object
}

const keys = ['lab', 'underlay', 'mtu', 'machine', 'control', 'datapath', 'backend', 'overlay'] as const

/** Reads the overrides from a configuration of texts, such as Pulumi's; `overlay` is JSON. */
export function overridesFrom(get: (key: string) => string | undefined): LabOverrides {
  const given = keys.flatMap((key) => {
    const text = get(key)
    return text === undefined
      ? []
      : [[key, key === 'mtu' || key === 'overlay' ? parsed(text) : text] as const]
  })
  // A text that is no number or no JSON stays what it is: the schema says what is wrong with it.
  return Object.fromEntries(given)
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return text
  }
}

export interface Overridden {
  readonly lab: unknown
  /** The configuration's own name of the value at a path of the file, where it comes from there: `['backend']`. */
  origin(path: Path): Path | undefined
  /** The name of what takes away the file's value at a path. */
  remover(path: Path): Path | undefined
}

/** A value that the file states and the configuration replaces by another one. */
export interface Replaced {
  /** Where the file states it. */
  readonly path: Path
  /** The configuration's key. */
  readonly key: Path
  readonly stated: unknown
  /** What counts; undefined where the configuration takes it away. */
  readonly used: unknown
}

/** Pure. Every single value of the lab block that counts otherwise than it stands there, in the file's order. */
export function replacedValues(lab: unknown, overridden: Overridden): Replaced[] {
  const leaves = (stated: unknown, path: Path): Replaced[] => {
    if (isMap(stated)) return Object.entries(stated).flatMap(([key, inner]) => leaves(inner, [...path, key]))
    const now = valueAt(overridden.lab, path.slice(1))
    const key = overridden.remover(path) ?? overridden.origin(path)
    if (key === undefined || JSON.stringify(now) === JSON.stringify(stated)) return []
    return [{ path, key, stated, used: now }]
  }
  return leaves(lab, ['lab'])
}

/** Pure. Lays the overrides over the lab block; what has the wrong form is laid over as well, for the schema to see. */
export function override(lab: unknown, overrides: LabOverrides): Overridden {
  const origins = new Map<string, Path>()
  const removals = new Map<string, Path>()
  const from = (path: Path, key: Path) => void origins.set(JSON.stringify(path), key)
  const gone = (path: Path, key: Path) => void removals.set(JSON.stringify(path), key)
  if (lab !== undefined && lab !== null && !isMap(lab))
    return { lab, origin: () => undefined, remover: () => undefined }
  const merged: Record<string, unknown> = { ...lab }

  for (const [key, inner] of [
    ['lab', 'name'],
    ['underlay', 'underlay'],
    ['mtu', 'mtu'],
    ['machine', 'machine'],
    ['control', 'control'],
    ['datapath', 'datapath'],
  ] as const) {
    if (overrides[key] === undefined) continue
    merged[inner] = overrides[key]
    from(['lab', inner], [key])
  }
  const type = overrides.backend ?? valueAt(overrides.overlay, ['Backend', 'Type'])
  if (type !== undefined) {
    const overlay = isMap(merged['overlay']) ? merged['overlay'] : {}
    const known =
      typeof type === 'string' && Object.hasOwn(backendKeys, type) ? (backendKeys[type] ?? []) : []
    const given = Object.entries(isMap(overlay['Backend']) ? overlay['Backend'] : {})
    const kept = given.filter(([key]) => known.includes(key))
    merged['overlay'] = { ...overlay, Backend: { ...Object.fromEntries(kept), Type: type } }
    const key = overrides.backend === undefined ? ['overlay', 'Backend', 'Type'] : ['backend']
    from(['lab', 'overlay', 'Backend', 'Type'], key)
    for (const [inner] of given) if (!known.includes(inner)) gone(['lab', 'overlay', 'Backend', inner], key)
  }
  if (overrides.overlay !== undefined) {
    merged['overlay'] = mergePatch(
      merged['overlay'],
      overrides.overlay,
      ['lab', 'overlay'],
      ['overlay'],
      from,
      gone,
    )
  }
  return {
    lab: lab === undefined && Object.keys(merged).length === 0 ? lab : merged,
    origin: (path) => nearest(origins, path),
    remover: (path) => nearest(removals, path),
  }
}

/** What is noted of a path or of the nearest thing above it. */
function nearest(notes: ReadonlyMap<string, Path>, path: Path): Path | undefined {
  for (let length = path.length; length > 0; length--) {
    const key = notes.get(JSON.stringify(path.slice(0, length)))
    if (key) return [...key, ...path.slice(length)]
  }
  return undefined
}

function mergePatch(
  target: unknown,
  patch: unknown,
  path: Path,
  key: Path,
  from: (path: Path, key: Path) => void,
  gone: (path: Path, key: Path) => void,
): unknown {
  if (!isMap(patch)) {
    from(path, key)
    return patch
  }
  if (!isMap(target)) from(path, key)
  const merged: Record<string, unknown> = isMap(target) ? { ...target } : {}
  for (const [inner, value] of Object.entries(patch)) {
    if (value === null) {
      delete merged[inner]
      gone([...path, inner], [...key, inner])
    } else merged[inner] = mergePatch(merged[inner], value, [...path, inner], [...key, inner], from, gone)
  }
  return merged
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
