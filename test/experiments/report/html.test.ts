import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { html, madeMarkup } from '../../../experiments/report/html.ts'
import { visibleLines } from '../../../inventory/harmless.ts'
import { nasty } from './nasty.ts'

/** What a browser makes of the entities that `html` writes. */
function read(markup: string): string {
  const entities: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' } // prettier-ignore
  return markup.replaceAll(/&[#\w]+;/g, (entity) => entities[entity] ?? 'unknown')
}

const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom(...nasty))

describe('a value', () => {
  test('is text and nothing else, whatever it holds', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { markup } = html`<p title="${text}">${text}</p>`
        const [, inAttribute = '', inElement = ''] = /^<p title="([^]*?)">([^]*)<\/p>$/.exec(markup)!
        expect(inAttribute).toBe(inElement)
        expect(inElement).not.toMatch(/[<>"']|&(?!(?:lt|gt|quot|amp|#39);)/)
        expect(read(inElement)).toBe(clean(text))
      }),
    )
  })

  test('that would act or hide is written out', () => {
    expect(html`${'a\0b\x1bc\ud800d\u202ee\ufdd0'}`.markup).toBe('a\\u0000b\\u001bc\\ud800d\\u202ee\ufffd')
  })

  test('may be markup, a list, a number or nothing', () => {
    expect(
      html`<ul>${[1, 2].map((n) => html`<li>${n}</li>`)}${undefined}${madeMarkup('<li>3</li>')}</ul>`.markup,
    ).toBe('<ul><li>1</li><li>2</li><li>3</li></ul>') // prettier-ignore
  })
})

/** The rule of `html`, said otherwise: characters that are none. */
function clean(text: string): string {
  return [...visibleLines(text)]
    .map((character) =>
      /\p{Noncharacter_Code_Point}/u.test(character) && character.length === 1 ? '\ufffd' : character,
    )
    .join('')
}
