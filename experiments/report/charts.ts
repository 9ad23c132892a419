/** A card for each metric: what was measured and how, a chart, and the samples as a table. */
import type { Comparison, Metric } from '../results/comparison.ts'
import { countChart } from './charts/counts.ts'
import { dotChart } from './charts/dots.ts'
import { colourOf, partChart } from './charts/parts.ts'
import { html, madeMarkup, type Html } from './html.ts'
import { decimalsFor, formatted } from './number.ts'
import { pairingsOf } from '../results/pairings.ts'
import { hostCount, isMeasured, type Row } from '../results/rows.ts'
import { intervalWords } from '../results/words.ts'

/** Points as the charts draw them. */
const legend: readonly (readonly [className: string, shape: string, words: string])[] = [
  ['baseline', '<rect x="3" y="3" width="8" height="8"/>', 'the bare underlay'],
  ['static', '<circle cx="7" cy="7" r="4.5"/>', 'static: no daemon'],
  ['flanneld', '<path d="M7 1.5 12.5 7 7 12.5 1.5 7Z"/>', 'by flanneld'],
]

export async function chartCards(comparison: Comparison, rows: readonly Row[]): Promise<Html> {
  const cards = await Promise.all(
    comparison.metrics.map((metric, index) =>
      card(
        `chart-${index + 1}`,
        metric,
        rows.filter((row) => row.metric === metric),
        comparison,
      ),
    ),
  )
  return html`
    <ul class="legend">
      ${legend.map(([name, shape, words]) => html`<li><svg class="${name}" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">${madeMarkup(shape)}</svg> ${words}</li>`)}
      <li>a point is a sample, the line through them their median, the bar their spread</li>
    </ul>
    <div class="cards">${cards}</div>
  `
}

async function card(id: string, metric: Metric, rows: readonly Row[], comparison: Comparison): Promise<Html> {
  const { variants } = comparison
  const whole = rows.find(({ of }) => of === undefined)
  const counts = rows.filter(({ of }) => of !== undefined && hostCount(of) !== undefined)
  const parts = rows.filter(({ of }) => of !== undefined && hostCount(of) === undefined)
  return html`<article class="card${counts.length + parts.length > 0 ? ' tall' : ''}" aria-labelledby="${id}">
    <h3 id="${id}">${metric.title}</h3>
    <p class="how">${metric.how}${/[.!?]$/.test(metric.how) ? '' : '.'}</p>
    ${whole ? await dotChart(`${id}-dots`, whole, variants) : ''}
    ${
      counts.length > 0
        ? html`${await countChart(`${id}-counts`, counts, variants)}
            <p class="how">The numbers at the points are counts of hosts.</p>`
        : ''
    }
    ${parts.length > 0 ? html`${await partChart(`${id}-parts`, parts, variants)}${partLegend(parts)}` : ''}
    ${claimsOf(comparison, rows)} ${samples(metric, rows, comparison)}
  </article>`
}

/** What the points tell of static and flanneld: their ratio, or that none is claimed. */
function claimsOf(comparison: Comparison, rows: readonly Row[]): Html | undefined {
  const claims = pairingsOf(comparison, rows).map(
    ({ variant, against, verdict, ratio }) =>
      `${variant} to ${against}: ${verdict}${ratio ? ` (ratio ${intervalWords(ratio)})` : ''}`,
  )
  return claims.length === 0 ? undefined : html`<p class="how">${claims.join('; ')}.</p>`
}

function partLegend(parts: readonly Row[]): Html {
  return html`<ul class="legend">
    ${parts.map(
      ({ of }, part) =>
        html`<li>
          <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
            <rect x="1" y="1" width="12" height="12" fill="${colourOf(part)}" />
          </svg>
          ${of ?? ''}
        </li>`,
    )}
  </ul>`
}

/** The chart's numbers for who does not see it, and the raw samples for who wants to reckon. */
function samples({ title, unit }: Metric, rows: readonly Row[], { variants, rounds }: Comparison): Html {
  const decimals = decimalsFor(
    rows.flatMap(({ cells }) =>
      cells.flatMap((cell) => (isMeasured(cell) ? cell.samples.map(({ value }) => value) : [])),
    ),
  )
  const everyRound = Array.from({ length: rounds }, (_, index) => index + 1)
  const lines = rows.flatMap(({ of, cells }) =>
    variants.map(({ name }, index) => ({
      name: of === undefined ? name : `${name}, ${of}`,
      cell: cells[index],
    })),
  )
  return html`<details>
    <summary>Every sample<span class="unseen"> of ${title}</span></summary>
    <div class="scroll" role="region" tabindex="0" aria-label="Every sample of ${title}">
      <table class="samples">
        <caption class="unseen">
          ${title}${unit === '' ? '' : `, ${unit}`}
        </caption>
        <thead>
          <tr>
            <th scope="col">Variant</th>
            ${everyRound.map((round) => html`<th scope="col">Round ${round}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${lines.map(
            ({ name, cell }) =>
              html`<tr>
                <th scope="row">${name}</th>
                ${
                  isMeasured(cell)
                    ? everyRound.map(
                        (round) =>
                          html`<td>
                            ${
                              cell.samples
                                .filter((one) => one.round === round)
                                .map(({ value }) => formatted(value, decimals))
                                .join(', ') ||
                              (cell.missed.some((one) => one.round === round) ? 'not measured' : '–')
                            }
                          </td>`,
                      )
                    : html`<td colspan="${rounds}" class="words">
                        ${cell && 'absent' in cell ? 'none' : `not measured: ${cell?.notMeasured.join('; ') ?? ''}`}
                      </td>`
                }
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`
}
