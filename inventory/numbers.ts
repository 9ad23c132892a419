/**
 * A host's number, from which its underlay address and its subnet follow. It depends on nothing but the host's own
 * name and variables, so that no host is renumbered when another one comes or goes.
 */
import { createHash } from 'node:crypto'
import type { GroupedHost, Variable } from './groups.ts'
import { variables } from './schema.ts'
import type { VariableName } from './schema.ts'
import type { z } from 'zod'

export interface Numbered {
  readonly number: number
  /** How it came about; the surer one keeps it where two hosts have the same. */
  readonly by: 'variable' | 'name' | 'hash'
}

/** The value of a variable; `wrong` where the file has it in a wrong form (reported by the schema). */
export type Reading<T> = { readonly value: T; readonly variable: Variable } | 'wrong' | undefined

/** What a thousand hosts of a group share is parsed once. */
const parsed = new WeakMap<Variable, Map<VariableName, z.ZodSafeParseResult<unknown>>>()

export function readVariable<K extends VariableName>(
  host: GroupedHost,
  key: K,
): Reading<z.output<(typeof variables)[K]>> {
  const variable = host.variables.get(key)
  if (variable === undefined) return undefined
  const known = parsed.get(variable) ?? new Map<VariableName, z.ZodSafeParseResult<unknown>>()
  const result = known.get(key) ?? variables[key].safeParse(variable.value)
  parsed.set(variable, known.set(key, result))
  return result.success ? { value: result.data as z.output<(typeof variables)[K]>, variable } : 'wrong'
}

/** Undefined where a variable that it depends on is wrong. `room` is how many numbers there are. */
export function numberOf(host: GroupedHost, room: number): Numbered | undefined {
  const explicit = readVariable(host, 'number')
  if (explicit === 'wrong') return undefined
  if (explicit) return { number: explicit.value, by: 'variable' }
  const trailing = numberIn(host.name)
  if (!trailing) return { number: hashed(host.name, room) + 1, by: 'hash' }
  const from = readVariable(host, 'number_from')
  if (from === 'wrong') return undefined
  return { number: Number(trailing[0]) + (from?.value ?? 0), by: 'name' }
}

/** The digits at the end of a name; of a whole domain name, `web1.example.com`, at the end of its first label. */
export function numberIn(name: string): RegExpExecArray | null {
  return /\d+$/.exec(name.split('.')[0] ?? name)
}

/** A number below `room` that depends on the text alone. */
export function hashed(text: string, room: number): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) % Math.max(room, 1)
}
