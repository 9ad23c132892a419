/** JSON from outside (a host's answer, a file): parsed to a type where it enters, its texts made harmless. Pure. */
import type { z } from 'zod'
import { harmless, mostOfOurs, visible } from './harmless.ts'

/**
 * The value that a text of JSON says, of the schema's type.
 * @param from who wrote it, as an error names it: `` `ip -j route` ``, a file
 * @throws Error where it is no JSON or does not fit; its message is one line: `FROM printed no JSON but: ...`
 */
export function parseJson<T>(schema: z.ZodType<T>, text: string, from: string): T {
  return fitting(schema, readJson(text, from), from)
}

/**
 * A host's answer: as `parseJson`, and no text in it holds a character that a terminal would act on, or is longer than
 * anything that a kernel's tool prints. So rows, states, previews and JSON made of it are harmless too.
 */
export function parseAnswer<T>(schema: z.ZodType<T>, text: string, from: string): T {
  return fitting(schema, inert(readJson(text, from)), from)
}

/** A value whose type nobody knows yet. @throws Error where it is no JSON */
export function readJson(text: string, from: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${from} printed no JSON but: ${harmless(text.trim(), 120)}`)
  }
}

function fitting<T>(schema: z.ZodType<T>, value: unknown, from: string): T {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const at = issue?.path.map(String).join('.') ?? ''
  throw new Error(
    harmless(
      `${from} printed something else than expected: ${[at, issue?.message].filter(Boolean).join(': ')}`,
    ),
  )
}

function inert(value: unknown): unknown {
  if (typeof value === 'string') return harmless(value, mostOfOurs)
  if (Array.isArray(value)) return value.map(inert)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [visible(key), inert(inner)]))
}
