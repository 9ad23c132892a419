/** The comparison as one table: a row a measure, a column a variant. */
import type { Comparison, Metric } from '../results/comparison.ts'
import { html, type Html } from './html.ts'
import { decimalsFor, formatted } from './number.ts'
import { notesFor, type Notes } from './notes.ts'
import { pairingsOf } from '../results/pairings.ts'
import { isMeasured, type Cell, type Row } from '../results/rows.ts'
import { intervalWords, ratioNumber, whyNoClaim } from '../results/words.ts'
import { classOf, fillerOf } from './words.ts'

const direction: Readonly<Record<Metric['better'], string>> = {
  lower: 'less is better',
  higher: 'more is better',
  neither: '',
}

export function comparisonTable({ variants, rounds, metrics }: Comparison, rows: readonly Row[]): Html {
  const notes = notesFor('comparison-note')
  const bodies = metrics.map((metric) =>
    bodyOf(
      metric,
      rows.filter((row) => row.metric === metric),
      variants.map(({ name }) => name),
      notes,
    ),
  )
  return html`
    <div class="scroll" role="region" tabindex="0" aria-labelledby="comparison-caption">
      <table class="comparison">
        <caption id="comparison-caption">
          <span class="fits"
            >Median of ${rounds === 1 ? 'one round' : `${rounds} rounds`}; below it the lowest and the highest
            sample</span
          >
        </caption>
        <thead>
          <tr>
            <th scope="col">Measure</th>
            ${variants.map((variant) => html`<th scope="col" class="${classOf(variant)}"><span class="name">${variant.name}</span> <small>${fillerOf(variant)}</small></th>`)}
          </tr>
        </thead>
        ${bodies}
      </table>
    </div>
    <p class="key">
      ${
        whyNoClaim(rounds) ??
        html`<span class="mark best">best</span> better than every other overlay, each by a claim: the 99 %
          interval of their ratio does not hold 1. <span class="mark level">≈ best</span> better than some,
          and no difference was found to the others that are so marked`
      }.
      The bare underlay is the baseline, and is not ranked. A dash: there is no such thing.
    </p>
    ${notes.list()} ${pairingTable(variants, metrics, rows)}
  `
}

/** Static against flanneld, the ratio and its interval; nothing where no variant has both. */
function pairingTable(
  variants: Comparison['variants'],
  metrics: readonly Metric[],
  rows: readonly Row[],
): Html | undefined {
  const pairings = pairingsOf({ variants }, rows)
  const columns = [...new Set(pairings.map(({ variant }) => variant))]
  if (columns.length === 0) return undefined
  const cell = (metric: string, column: string): Html => {
    const found = pairings.find((one) => one.metric === metric && one.variant === column)
    if (!found)
      return html`<td class="absent"><span aria-hidden="true">–</span><span class="unseen">none</span></td>`
    const { verdict, ratio, rounds } = found
    return html`<td>
      ${verdict}${ratio ? html` <small class="spread">ratio ${ratioNumber(ratio.middle)}, ${intervalWords(ratio)}</small>` : ''}${verdict === 'too few rounds' ? html` <small class="spread">${rounds}</small>` : ''}
    </td>`
  }
  return html`<div class="scroll" role="region" tabindex="0" aria-labelledby="pairings-caption">
    <table class="pairings">
      <caption id="pairings-caption">
        <span class="fits"
          >Static against flanneld, round by round: the ratio, and the interval in which it lies by a
          confidence of 99 %. Where it holds 1, no difference was found</span
        >
      </caption>
      <thead>
        <tr>
          <th scope="col">Measure</th>
          ${columns.map((name) => html`<th scope="col">${name} <small>static to flanneld</small></th>`)}
        </tr>
      </thead>
      <tbody>
        ${metrics
          .filter(({ id }) => pairings.some(({ metric }) => metric === id))
          .map(
            ({ id, title }) =>
              html`<tr>
                <th scope="row">${title}</th>
                ${columns.map((column) => cell(id, column))}
              </tr>`,
          )}
      </tbody>
    </table>
  </div>`
}

/** A metric of one row, or a heading and a row for each of its parts. */
function bodyOf(metric: Metric, rows: readonly Row[], variants: readonly string[], notes: Notes): Html {
  const cells = (row: Row) => {
    const decimals = decimalsFor(row.cells.filter(isMeasured).map((cell) => cell.median))
    return row.cells.map((cell, index) => cellOf(cell, decimals, rowsTitle(row), variants[index]!, notes))
  }
  const unit = html`<span class="unit">${metric.unit}</span>`
  const small = direction[metric.better] === '' ? undefined : html`<small>${direction[metric.better]}</small>`
  const [only] = rows
  if (only && rows.length === 1 && only.of === undefined)
    return html`<tbody>
      <tr>
        <th scope="row">${metric.title} ${unit} ${small}</th>
        ${cells(only)}
      </tr>
    </tbody>`
  const whole = only?.of === undefined ? only : undefined
  return html`<tbody class="parts">
    <tr>
      <th scope="${whole ? 'row' : 'rowgroup'}" ${whole ? '' : html`colspan="${variants.length + 1}"`}>
        ${metric.title} ${unit} ${small}
      </th>
      ${whole ? cells(whole) : ''}
    </tr>
    ${rows
      .filter((row) => row !== whole)
      .map(
        (row) =>
          html`<tr>
            <th scope="row" class="part">${row.of ?? ''}</th>
            ${cells(row)}
          </tr>`,
      )}
  </tbody>`
}

function rowsTitle({ metric, of }: Row): string {
  return of === undefined ? metric.title : `${metric.title}, ${of}`
}

function cellOf(cell: Cell, decimals: number, measure: string, variant: string, notes: Notes): Html {
  if ('absent' in cell)
    return html`<td class="absent"><span aria-hidden="true">–</span><span class="unseen">none</span></td>`
  if ('notMeasured' in cell)
    return html`<td class="not-measured">not measured${notes.mark(cell.notMeasured)}</td>`
  const { median, low, high, missed, standing } = cell
  return html`<td${standing ? html` class="${standing}"` : ''}>
    ${standing ? html`<span class="mark ${standing}">${standing === 'best' ? 'best' : '≈ best'}</span> ` : ''}<span class="value">${formatted(median, decimals)}</span>${
      low === high
        ? ''
        : html` <small class="spread">${formatted(low, decimals)} – ${formatted(high, decimals)}</small>`
    }${
      missed.length === 0
        ? ''
        : html` <small class="missed"
            >${missed.length === 1 ? 'a round' : `${missed.length} rounds`} not
            measured${notes.mark(missed.map(({ round, why }) => `${measure}, ${variant}, round ${round}: ${why}`))}</small
          >`
    }</td>`
}
