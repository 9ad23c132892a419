/** The JSON that iproute2 prints: a list of objects, or nothing at all where there is nothing to list. */
import { z } from 'zod'
import { harmless } from '../inventory/harmless.ts'
import { parseAnswer } from '../inventory/json.ts'

export type Entry = Readonly<Record<string, unknown>>

const entries = z.array(z.record(z.string(), z.unknown()))

/**
 * No text in them holds a control character, so none can become a second line of what a tool is fed.
 * @throws Error where a tool printed something else, with the beginning of what it printed
 */
export function readEntries(output: string, tool: string): Entry[] {
  const text = output.trim()
  if (text === '') return []
  // `ip` prints an empty object for an entry that a filter left out.
  return parseAnswer(entries, text, `\`${tool}\``).filter((entry) => Object.keys(entry).length > 0)
}

const texts = z.array(z.string())
const entry = z.record(z.string(), z.unknown())

/** A field that is a list of words; empty where it is missing. @throws Error where it is something else */
export function textsOf(of: Entry, field: string): readonly string[] {
  return of[field] == null ? [] : fieldOf(texts, of, field)
}

/** A field that is a list of objects; empty where it is missing. @throws Error where it is something else */
export function entriesOf(of: Entry, field: string): readonly Entry[] {
  return of[field] == null ? [] : fieldOf(entries, of, field)
}

/** A field that is an object; undefined where it is missing. @throws Error where it is something else */
export function entryOf(of: Entry, field: string): Entry | undefined {
  return of[field] == null ? undefined : fieldOf(entry, of, field)
}

function fieldOf<T>(schema: z.ZodType<T>, of: Entry, field: string): T {
  const read = schema.safeParse(of[field])
  if (read.success) return read.data
  throw new Error(
    `the answer's field ${field} is not what the tool prints: ${harmless(plain(of[field]), 120)}`,
  )
}

/** A field as text; '' where it is missing. */
export function textOf(entry: Entry, field: string): string {
  const value = entry[field]
  return value === undefined || value === null ? '' : plain(value)
}

/**
 * The fields that a module does not know, as words. An attribute that overlab never sets must show as a difference,
 * not vanish; only what is false, zero or empty says nothing.
 */
export function otherWords(entry: Entry, known: ReadonlySet<string>): string[] {
  return Object.entries(entry).flatMap(([field, value]) => (known.has(field) ? [] : wordsOf(field, value)))
}

function wordsOf(field: string, value: unknown): string[] {
  if (value === null || value === true) return [field]
  if (value === false || value === 0 || value === '' || value === undefined) return []
  return typeof value === 'object' && Object.keys(value).length === 0 ? [] : [field, plain(value)]
}

/** One word, whatever the value is. */
function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value).replaceAll(' ', '')
}
