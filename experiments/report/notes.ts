/** Reasons that are too long for a cell: numbered, each once, in a list below the table. */
import { html, type Html } from './html.ts'

export interface Notes {
  /** The mark that stands in the cell. */
  readonly mark: (reasons: readonly string[]) => Html
  /** The list; nothing where no mark was made. */
  readonly list: () => Html | undefined
}

/** @param id unique in the page */
export function notesFor(id: string): Notes {
  const all: string[] = []
  const numberOf = (reason: string): number => {
    if (!all.includes(reason)) all.push(reason)
    return all.indexOf(reason) + 1
  }
  return {
    mark: (reasons) =>
      html`<sup
        >${reasons.map(numberOf).map((number, index) => html`${index > 0 ? ', ' : ''}<a href="#${id}-${number}" aria-label="why: note ${number}">${number}</a>`)}</sup
      >`,
    list: () =>
      all.length === 0
        ? undefined
        : html`<h3 class="notes-title">Not measured, and why</h3>
            <ol class="notes">
              ${all.map((reason, index) => html`<li id="${id}-${index + 1}">${reason}</li>`)}
            </ol>`,
  }
}
