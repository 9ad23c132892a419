/**
 * A user's mistakes: where, what, and what to do. All of them are collected before any is reported. What an inventory
 * holds, and its file's name, are made harmless here: a line is one line, whatever it quotes.
 */
import { harmless, visible } from './harmless.ts'

export type Path = readonly (string | number)[]

export interface Mistake {
  /** The keys from the top of the file to the place. */
  readonly path: Path
  /** Point at the key even where there is a value: an unknown key, a key that must not be there. */
  readonly atKey?: boolean
  /** What is wrong, without the path; one line. */
  readonly what: string
  /** What to do about it; one line. May be a getter where it costs much: only of mistakes that are shown it is read. */
  readonly todo: string
}

/** Nobody reads more at once, and a broken file can have a mistake for every character. */
export const mostShown = 50

/** A mistake with its place in words. */
export interface PlacedMistake extends Mistake {
  /** `inventory/lab.yaml:14:9`, or `config` for a stack's configuration. */
  readonly place: string
  /** 1-based; 0 where the place is no line of a file. */
  readonly line: number
  readonly column: number
  /** The whole line, made harmless: `place path: what; what to do`. */
  readonly text: string
}

export type Report = (mistake: Mistake) => void

/**
 * Thrown by `loadInventory` and `parseInventory`. The message has one line for each of the first `mostShown` mistakes, in
 * the file's order, and one with the count of the others.
 */
export class InventoryErrors extends Error {
  /** Those that the message shows. */
  readonly mistakes: readonly PlacedMistake[]

  /** @param more how many there are that `mistakes` has not */
  constructor(mistakes: readonly PlacedMistake[], more = 0) {
    const rest = `and ${more} more ${more === 1 ? 'mistake' : 'mistakes'}; correct these first`
    super([...mistakes.map((mistake) => mistake.text), ...(more > 0 ? [rest] : [])].join('\n'))
    this.name = 'InventoryErrors'
    this.mistakes = mistakes
    // A stack trace of ours tells the author of an inventory nothing.
    this.stack = this.message
  }
}

/** `all.hosts.node1.bootstrap[0].run`; a key that would be ambiguous is quoted: `all.vars["a.b"]`. */
export function pathText(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`
      const short = part.length <= mostOfKey
      if (!short || !/^[\p{L}\p{N}_[\]:-]+$/u.test(part)) return `[${shown(part)}]`
      return index === 0 ? part : `.${part}`
    })
    .join('')
}

/** Characters of a value, of a key, of a whole path, of one word, and of each half of a message. */
const mostOfValue = 60
const mostOfKey = 80
const mostOfPath = 240
const mostOfWord = 160
const mostOfHalf = 300

/** A value as JSON, harmless, and no longer than shows what is meant. */
export function shown(value: unknown): string {
  // Only the beginning of a long text is looked at.
  const text = visible(
    JSON.stringify(typeof value === 'string' ? value.slice(0, mostOfValue) : value) ?? 'nothing',
  )
  return text.length > mostOfValue ? `${text.slice(0, mostOfValue - 3)}..."` : text
}

/** `place path: what; what to do`, each cut by itself, so that a long name does not hide what is wrong with it. */
export function mistakeText(place: string, { path, what, todo }: Mistake): string {
  const at = harmless(pathText(path), mostOfPath)
  const where = place === 'config' ? `config overlab:${at}` : [harmless(place), at].filter(Boolean).join(' ')
  return `${where}: ${half(what)}; ${half(todo)}`
}

/** A name of a megabyte is cut, and what is said of it stays. */
function half(text: string): string {
  const words = text.replace(/\S+/g, (word) => (word.length > mostOfWord ? harmless(word, mostOfWord) : word))
  return harmless(words, mostOfHalf)
}

/** `a`, `a and b`, `a, b and c`, `a, b, c and 4 more`. */
export function enumerate(words: readonly string[], most = 4): string {
  const shown = words.length > most ? [...words.slice(0, most - 1), `${words.length - most + 1} more`] : words
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}
