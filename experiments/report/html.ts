import { visibleLines } from '../../inventory/harmless.ts'

/**
 * HTML as a template literal whose values are escaped: thirty lines that a test holds against every string there is.
 * The page needs no more of a library (no components, no partials, no browser), and so depends on none.
 */

/** Markup, and no longer a text: `html` puts it in as it is. */
export interface Html {
  readonly markup: string
}

/** What a template takes. Of a list each is put in; of nothing, nothing. */
export type Part = string | number | Html | undefined | readonly Part[]

export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: pieces.map((piece, index) => piece + markupOf(parts[index])).join('') }
}

/** Markup that a program of ours made. Never what a file or a person said. */
export function madeMarkup(markup: string): Html {
  return { markup }
}

function markupOf(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string') return escaped(part)
  if (typeof part === 'number') return String(part)
  return 'markup' in part ? part.markup : part.map(markupOf).join('')
}

/** Text for an element or a quoted attribute. Control characters, bidi marks and the like are written out. */
function escaped(text: string): string {
  return (
    visibleLines(text)
      // HTML has no way to say these.
      .replaceAll(/[\ufdd0-\ufdef\ufffe\uffff]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;')
  )
}
