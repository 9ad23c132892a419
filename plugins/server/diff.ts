import {
  archiveSignature,
  assetSignature,
  isArchive,
  isAsset,
  isObject,
  isSecret,
  isUnknown,
  plain,
} from './values.ts'
import type { Value, Values } from './values.ts'

export type DiffKind = 'add' | 'delete' | 'update'

/** One property that changes: `path` as Pulumi writes it, `triggers[0]`, `routes["10.244.2.0/24"]`. */
export interface PropertyChange {
  readonly path: string
  readonly kind: DiffKind
  readonly replace?: boolean
}

/**
 * Every property in which two property maps differ, down to the last object, sorted by path. A secret is compared
 * by its content but named as a whole; an asset or archive is compared by its hash.
 */
export function diffValues(olds: Values, news: Values): PropertyChange[] {
  return [...changes('', olds, news)]
}

function* changes(path: string, old: Value | undefined, now: Value | undefined): Generator<PropertyChange> {
  if (old === undefined && now === undefined) return
  if (old === undefined) yield { path, kind: 'add' }
  else if (now === undefined) yield { path, kind: 'delete' }
  else if (isSecret(old) || isSecret(now) || isFile(old) || isFile(now)) {
    if (!equal(old, now)) yield { path, kind: 'update' }
  } else if (isList(old) && isList(now)) {
    for (let index = 0; index < Math.max(old.length, now.length); index++) {
      yield* changes(`${path}[${index}]`, old[index], now[index])
    }
  } else if (isObject(old) && isObject(now)) {
    const keys = new Set([...Object.keys(old), ...Object.keys(now)])
    for (const key of [...keys].sort()) yield* changes(propertyPath(path, key), old[key], now[key])
  } else if (!equal(old, now)) yield { path, kind: 'update' }
}

/** Appends a key to a property path: `a`, `a.b`, and `a["10.0.0.0/8"]` where the key is no plain word. */
export function propertyPath(path: string, key: string): string {
  if (/^[A-Za-z_$][\w$]*$/.test(key)) return path === '' ? key : `${path}.${key}`
  return `${path}[${JSON.stringify(key)}]`
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

function isFile(value: Value): boolean {
  return isAsset(value) || isArchive(value)
}

/** Deep equality of what a value says: secrets by content, files by hash; an unknown equals nothing. */
export function equal(left: Value | undefined, right: Value | undefined): boolean {
  if (left === undefined || right === undefined) return left === right
  const [a, b] = [plain(left), plain(right)]
  if (isUnknown(a) || isUnknown(b)) return false
  if (isFile(a) && isFile(b)) return sameFile(a as Values, b as Values)
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((item, index) => equal(item, b[index]))
  }
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a)
    return keys.length === Object.keys(b).length && keys.every((key) => equal(a[key], b[key]))
  }
  return a === b
}

/** The engine leaves out contents in a diff, so the hash decides; without one, what the asset is made from. */
function sameFile(a: Values, b: Values): boolean {
  if (isAsset(a) !== isAsset(b)) return false
  if (a.hash && b.hash) return a.hash === b.hash
  const kind = isAsset(a) ? assetSignature : archiveSignature
  const of = (file: Values) =>
    JSON.stringify([kind, file.text ?? null, file.path ?? null, file.uri ?? null, file.assets ?? null])
  return of(a) === of(b)
}
