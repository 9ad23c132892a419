/** The JSON that iproute2 prints: a list of objects, or nothing at all where there is nothing to list. */
export type Entry = Readonly<Record<string, unknown>>

/** Throws where a tool printed something else, with the beginning of what it printed. */
export function readEntries(output: string, tool: string): Entry[] {
  const text = output.trim()
  if (text === '') return []
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error(`\`${tool}\` printed no JSON but: ${text.slice(0, 120)}`)
  }
  if (!Array.isArray(value)) throw new Error(`\`${tool}\` printed no list but: ${text.slice(0, 120)}`)
  // `ip` prints an empty object for an entry that a filter left out.
  return (value as unknown[]).filter(
    (entry): entry is Entry => typeof entry === 'object' && entry !== null && Object.keys(entry).length > 0,
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
