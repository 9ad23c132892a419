/**
 * Rows are short sentences of known words (`via 10.244.2.0 dev flannel.1 onlink`). Each module says which words
 * there are; here they are read and checked, so that nothing else ever reaches a tool's standard input.
 */
import { z } from 'zod'
import type { Row } from './module.ts'

/** A word and what its value must be; `flag` = a word that stands alone. */
export type Grammar = Readonly<Record<string, z.ZodType<string, string> | typeof flag>>
export const flag = 'flag'

/** Word -> value; '' for a flag. */
export type Words = ReadonlyMap<string, string>

/** Says what is wrong with a row. */
export type Complain = (field: 'key' | 'line', message: string) => void

/** A module's `row`: `read` returns the canonical line, or complains. */
export function rowSchema(read: (row: Row, complain: Complain) => string): z.ZodType<string, Row> {
  return z.object({ key: z.string(), line: z.string() }).transform((row, context) => {
    let failed = false
    const complain: Complain = (field, message) => {
      failed = true
      context.addIssue({
        code: 'custom',
        message: `${field === 'key' ? 'key' : 'value'} ${shown(row[field])}: ${message}`,
      })
    }
    for (const field of ['key', 'line'] as const) {
      // What `ip -batch` would read as more than one word or line, as a comment or as a quote.
      const bad = row[field].match(/[^A-Za-z0-9_.:/@%[\] -]/u)
      if (bad) complain(field, `holds ${shown(bad[0])}, which no ${field === 'key' ? 'key' : 'value'} has`)
    }
    const line = failed ? '' : read(row, complain)
    return failed ? z.NEVER : line
  })
}

/** Reads words by a grammar; what is unknown, repeated, missing its value or wrong is complained about. */
export function readWords(text: string, grammar: Grammar, complain: (message: string) => void): Words {
  const words = new Map<string, string>()
  const tokens = text.split(' ').filter((token) => token !== '')
  for (let at = 0; at < tokens.length; at++) {
    const word = tokens[at]!
    const kind = Object.hasOwn(grammar, word) ? grammar[word]! : undefined
    if (kind === undefined) {
      complain(`unknown word ${shown(word)}; known are ${Object.keys(grammar).join(', ')}`)
      return words
    }
    if (words.has(word)) complain(`"${word}" stands twice`)
    if (kind === flag) {
      words.set(word, '')
      continue
    }
    const value = tokens[++at]
    if (value === undefined) {
      complain(`"${word}" has no value`)
      continue
    }
    const checked = kind.safeParse(value)
    if (checked.success) words.set(word, checked.data)
    else complain(`${word} ${shown(value)} ${checked.error.issues[0]!.message}`)
  }
  return words
}

/** Words as a line, in the order given; those that are missing are left out. */
export function writeWords(words: Words, order: readonly string[]): string {
  return order
    .flatMap((word) => {
      const value = words.get(word)
      return value === undefined ? [] : [value === '' ? word : `${word} ${value}`]
    })
    .join(' ')
}

/** A whole number between two bounds, as text without leading zeros. */
export function wholeNumber(least: number, most: number): z.ZodType<string, string> {
  return z
    .string()
    .refine(
      (text) => /^(0|[1-9][0-9]{0,9})$/.test(text) && Number(text) >= least && Number(text) <= most,
      `is not a whole number from ${least} to ${most}`,
    )
}

/** Several entries under one key (a route added twice by `append`) are one line; overlab itself never makes any. */
export const several = ' and '

export function shown(text: string): string {
  return JSON.stringify(text)
}
