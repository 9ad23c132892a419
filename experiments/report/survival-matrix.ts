/** What each fault cost: a row a fault, a column a variant, a colour and words in every cell; then fault by fault. */
import type { Cell, Survival } from '../results/survival.ts'
import { html, type Html } from './html.ts'
import { formatted } from './number.ts'
import { notesFor, type Notes } from './notes.ts'
import { classOf, fillerOf } from './words.ts'

/** The outcomes, the best first; `sign` is beside the word, for who sees no colour and who glances. */
const outcomes = {
  unharmed: { sign: '✓', meaning: 'no packet was lost' },
  'by itself': { sign: '↻', meaning: 'the pods reach each other again, and nobody did anything' },
  'by pulumi up': { sign: '▲', meaning: 'it takes overlab up to put back what was gone' },
  never: { sign: '✕', meaning: 'not while it was watched, and not by overlab up' },
  'not applicable': { sign: '–', meaning: 'there is nothing that this could happen to' },
  'not measured': { sign: '?', meaning: 'the reason is below the table' },
} as const
type Outcome = keyof typeof outcomes

function outcomeOf(cell: Cell): Outcome {
  return 'heals' in cell ? cell.heals : 'notMeasured' in cell ? 'not measured' : 'not applicable'
}

export function survivalMatrix({ variants, faults, cells }: Survival): Html {
  const notes = notesFor('survival-note')
  const all = faults.map((fault) => ({
    fault,
    cells: variants.map(
      (variant): Cell =>
        cells.find((cell) => cell.fault === fault.id && cell.variant === variant.name) ?? {
          variant: variant.name,
          fault: fault.id,
          notMeasured: 'the file has no such cell',
        },
    ),
  }))
  const count = (outcome: Outcome): number =>
    all.flatMap((row) => row.cells).filter((cell) => outcomeOf(cell) === outcome).length
  const rows = all.map(
    (row) =>
      html`<tr>
        <th scope="row">${row.fault.title} <small class="what">${row.fault.what}</small></th>
        ${row.cells.map((cell) => matrixCell(cell, notes))}
      </tr>`,
  )
  return html`
    <ul class="legend outcomes">
      ${Object.entries(outcomes).map(
        ([name, { sign, meaning }]) =>
          html`<li>
            <span class="outcome ${classFor(name)}"><span aria-hidden="true">${sign}</span> ${name}</span>
            <b>${count(name as Outcome)}</b> <small>${meaning}</small>
          </li>`,
      )}
    </ul>
    <div class="scroll" role="region" tabindex="0" aria-labelledby="survival-caption">
      <table class="survival">
        <caption id="survival-caption">
          <span class="fits">Packets lost, and the longest time that one pair of pods was cut off</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">Fault</th>
            ${variants.map((variant) => html`<th scope="col" class="${classOf(variant)}"><span class="name">${variant.name}</span> <small>${fillerOf(variant)}</small></th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    ${notes.list()}
    <h3>Fault by fault</h3>
    ${all.map(({ fault, cells: own }) => faultDetails(fault, own))}
  `
}

function matrixCell(cell: Cell, notes: Notes): Html {
  const outcome = outcomeOf(cell)
  const head = html`<span class="head"
    ><span class="sign" aria-hidden="true">${outcomes[outcome].sign}</span> ${outcome}</span
  >`
  if ('notMeasured' in cell)
    return html`<td class="outcome ${classFor(outcome)}">
      ${head}${notes.mark([`${cell.variant}, ${cell.fault}: ${cell.notMeasured}`])}
    </td>`
  if (!('heals' in cell)) return html`<td class="outcome ${classFor(outcome)}">${head}</td>`
  return html`<td class="outcome ${classFor(outcome)}">
    <b>${head}</b> <small>${formatted(cell.lost)} of ${formatted(cell.sent)} lost</small>${
      cell.lost === 0 ? '' : html` <small>${formatted(Math.round(cell.outageMs))} ms</small>`
    }
  </td>`
}

function faultDetails({ title, what }: Survival['faults'][number], cells: readonly Cell[]): Html {
  return html`<details class="fault">
    <summary>${title}</summary>
    <p>${what}${/[.!?]$/.test(what) ? '' : '.'}</p>
    <div class="scroll" role="region" tabindex="0" aria-label="${title}, variant by variant">
      <table class="faults">
        <caption class="unseen">
          ${title}, variant by variant
        </caption>
        <thead>
          <tr>
            <th scope="col">Variant</th>
            <th scope="col" class="words">Heals</th>
            <th scope="col">Lost</th>
            <th scope="col">Sent</th>
            <th scope="col">Outage ms</th>
            <th scope="col" class="words">Why, and which pairs</th>
          </tr>
        </thead>
        <tbody>
          ${cells.map(faultRow)}
        </tbody>
      </table>
    </div>
  </details>`
}

function faultRow(cell: Cell): Html {
  const name = html`<th scope="row">${cell.variant}</th>`
  const outcome = outcomeOf(cell)
  if (!('heals' in cell)) {
    const why = 'notMeasured' in cell ? cell.notMeasured : cell.notApplicable
    return html`<tr>
      ${name}
      <td class="words">${outcome}</td>
      <td>–</td>
      <td>–</td>
      <td>–</td>
      <td class="words">${why}</td>
    </tr>`
  }
  const pairs = cell.pairs.map(({ pair, lost, sent, outageMs }) => `${pair}: ${formatted(lost)} of ${formatted(sent)}, ${formatted(Math.round(outageMs))} ms`) // prettier-ignore
  return html`<tr>
    ${name}
    <td class="words">${outcome}</td>
    <td>${formatted(cell.lost)}</td>
    <td>${formatted(cell.sent)}</td>
    <td>${formatted(Math.round(cell.outageMs))}</td>
    <td class="words">
      ${cell.because ?? ''}${pairs.length === 0 ? '' : html` <small>${pairs.join('; ')}</small>`}
    </td>
  </tr>`
}

function classFor(outcome: string): string {
  return outcome.replaceAll(' ', '-')
}
