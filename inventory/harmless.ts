/**
 * Text from outside (a host's answer, a file, a file's name) made harmless before it stands in a message: nothing in it
 * moves the cursor, hides, turns the line round or forges another line, and its size is bounded. Pure.
 *
 * What a character would do is written out instead (`\u001b`, `\n`). Applied twice it changes nothing more, so a message
 * may quote another one.
 */

/** Characters of a line from outside; what is longer ends with a mark. */
export const mostCharacters = 500
/** Lines of a message. */
export const mostLines = 100
/** Characters of a line that overlab itself wrote and that somebody copies: the public key of RSA 8192 has 1,400. */
export const mostOfOurs = 4000

/** Control characters, bidi marks and what else has no width, line and paragraph separators, halves of a pair. */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
const cut = ' ... (cut)'
const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** One line, whatever it was: line ends are written out too. */
export function harmless(text: string, most = mostCharacters): string {
  // What is cut away is never looked at: it may be megabytes.
  const head = text.length > most ? text.slice(0, most + 1) : text
  const shown = visible(head)
  return shown.length <= most ? shown : `${beginning(head, most - cut.length)}${cut}`
}

/** A message of several lines. `most`: characters of a line. */
export function harmlessLines(text: string, most = mostCharacters): string {
  const lines: string[] = []
  let at = 0
  while (at <= text.length && lines.length < mostLines) {
    const end = text.indexOf('\n', at)
    lines.push(harmless(text.slice(at, end < 0 ? undefined : end), most))
    at = end < 0 ? text.length + 1 : end + 1
  }
  if (at >= text.length) return lines.join('\n')
  const rest = countLines(text, at) + 1
  return [...lines.slice(0, -1), `... and ${rest} more lines`].join('\n')
}

/** Every unsafe character written out, and nothing cut: for values that are compared and kept. */
export function visible(text: string): string {
  return text.replace(unsafe, (character) => names[character] ?? escaped(character))
}

/** As `visible`, where line ends and tabs mean what they are: a file's content. */
export function visibleLines(text: string): string {
  return text.replace(unsafe, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  )
}

/** `\u001b`; beyond the first 65,536 `\u{e0001}`. */
function escaped(character: string): string {
  const code = character.codePointAt(0)!.toString(16)
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
}

/** As many whole characters as fit, none of them cut in two once it is written out. */
function beginning(text: string, most: number): string {
  let shown = ''
  for (const character of text) {
    const next = visible(character)
    if (shown.length + next.length > most) break
    shown += next
  }
  return shown
}

function countLines(text: string, from: number): number {
  let count = 1
  for (let at = text.indexOf('\n', from); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}
