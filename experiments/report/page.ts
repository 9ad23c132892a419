/** The whole page, from the two results to one text: no script, no request, nothing but what is in it. Pure. */
import { readFileSync } from 'node:fs'
import { resultKinds } from '../results/read.ts'
import type { Comparison } from '../results/comparison.ts'
import type { Survival } from '../results/survival.ts'
import { chartCards } from './charts.ts'
import { comparisonTable } from './comparison-table.ts'
import { comparisonFindings, survivalFindings, type Finding } from './findings.ts'
import { html, madeMarkup, type Html } from './html.ts'
import { formatted } from './number.ts'
import { moment, provenanceTable, type Origin } from './provenance.ts'
import { scrubbed } from './scrub.ts'
import { rowsOf } from '../results/rows.ts'
import { whyNoClaim } from '../results/words.ts'
import { survivalMatrix } from './survival-matrix.ts'
import { topology } from './topology.ts'

/** A result, and what the page calls its file. */
export interface Source<Result> {
  readonly result: Result
  readonly file: string
  /** From the page to the file, where it lies beside it. */
  readonly href?: string
}

export interface ReportInput {
  readonly comparison?: Source<Comparison>
  readonly survival?: Source<Survival>
  /** overlab's. */
  readonly version: string
}

interface Section {
  readonly id: string
  readonly title: string
  readonly body: Html
}

const style = readFileSync(new URL('./page.css', import.meta.url), 'utf8')

export async function reportPage(input: ReportInput): Promise<string> {
  const { comparison, survival, version } = scrubbed(input)
  const origins = [
    ...(comparison ? [{ title: 'Comparison', provenance: comparison.result.provenance }] : []),
    ...(survival ? [{ title: 'Survival', provenance: survival.result.provenance }] : []),
  ]
  const sections = await sectionsOf(
    comparison?.result,
    survival?.result,
    origins,
    sources(comparison, survival),
  )
  const title = titleOf(comparison?.result, survival?.result)
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"
        />
        <meta name="generator" content="overlab ${version}" />
        <title>${title}</title>
        <style>
          ${madeMarkup(style)}
        </style>
      </head>
      <body>
        <a class="skip" href="#main">To the findings</a>
        <header>
          <p class="kicker">overlab report</p>
          <h1>${title}</h1>
          <p class="lead">${leadOf(origins, comparison?.result.lab ?? survival?.result.lab ?? '')}</p>
          <nav aria-label="Sections">
            <ul>
              ${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}
            </ul>
          </nav>
        </header>
        <main id="main">
          ${sections.map(
            ({ id, title: name, body }) =>
              html`<section id="${id}" aria-labelledby="${id}-title">
                <h2 id="${id}-title">${name}</h2>
                ${body}
              </section> `,
          )}
        </main>
        <footer>
          <p>
            Made by <code>./overlab report</code>, overlab ${version}. The page is whole: it asks no network
            and runs no script.
          </p>
        </footer>
      </body>
    </html> `
  return page.markup
}

function titleOf(comparison: Comparison | undefined, survival: Survival | undefined): string {
  if (comparison && survival) return 'What each overlay costs, and what it survives'
  return comparison ? 'What each overlay costs' : 'What each overlay survives'
}

function leadOf([first, ...more]: readonly Origin[], lab: string): string {
  if (!first) return ''
  const { provenance } = first
  const { machines, kernel, cpu, cores, startedAt } = provenance
  const last = more.at(-1)?.provenance ?? provenance
  return `Lab ${lab}: ${machines.hosts} hosts with ${machines.pods} pods (${machines.driver}), Linux ${kernel}, ${cpu} with ${cores} ${cores === 1 ? 'core' : 'cores'}; ${moment(startedAt)} to ${moment(last.endedAt)}.`
}

async function sectionsOf(
  comparison: Comparison | undefined,
  survival: Survival | undefined,
  origins: readonly Origin[],
  files: Html,
): Promise<Section[]> {
  const rows = comparison ? rowsOf(comparison) : []
  const drawn = comparison && topology(comparison)
  return [
    {
      id: 'findings',
      title: 'Findings',
      body: html`<div class="columns">
          ${findingList('Cost', comparison ? comparisonFindings(comparison, rows) : [])}
          ${findingList('Survival', survival ? survivalFindings(survival) : [])}
        </div>
        ${cautions(comparison, survival, origins)}`,
    },
    {
      id: 'comparison',
      title: 'Side by side',
      body: comparison ? comparisonTable(comparison, rows) : missing('compare', 'the variants side by side'),
    },
    ...(comparison
      ? [{ id: 'charts', title: 'Measure by measure', body: await chartCards(comparison, rows) }]
      : []),
    {
      id: 'survival',
      title: 'What survives which fault',
      body: survival ? survivalMatrix(survival) : missing('survive', 'what each fault costs'),
    },
    ...(drawn ? [{ id: 'topology', title: 'The lab', body: drawn }] : []),
    {
      id: 'provenance',
      title: 'Where the numbers come from',
      body: html`${provenanceTable(origins)}${files}`,
    },
  ]
}

function missing(verb: string, what: string): Html {
  return html`<p class="missing-file">
    <b>Not measured yet.</b> <code>./overlab ${verb}</code> measures ${what}; then
    <code>./overlab report</code> puts it here.
  </p>`
}

function findingList(title: string, findings: readonly Finding[]): Html | undefined {
  if (findings.length === 0) return undefined
  return html`<div>
    <h3>${title}</h3>
    <ul class="findings">
      ${findings.map(({ subject, text, evidence }) => html`<li>${subject === undefined ? '' : html`<b>${subject}:</b> `}${text}${evidence === undefined || evidence === '' ? '' : html` <small>${evidence}.</small>`}</li>`)}
    </ul>
  </div>`
}

/** What a reader must know before the numbers are believed. */
function cautions(
  comparison: Comparison | undefined,
  survival: Survival | undefined,
  origins: readonly Origin[],
): Html | undefined {
  const busy = origins.filter(({ provenance: { load, cores } }) => Math.max(...load) > cores)
  const gaps =
    (comparison?.samples.filter((sample) => 'notMeasured' in sample).length ?? 0) +
    (survival?.cells.filter((cell) => 'notMeasured' in cell).length ?? 0)
  const kernels = new Set(
    origins.map(({ provenance: { kernel, cpu, cores } }) => `${kernel} ${cpu} ${cores}`),
  )
  const unclaimed = comparison && whyNoClaim(comparison.rounds)
  const said = [
    ...(unclaimed ? [`Comparison: ${unclaimed}.`] : []),
    ...(survival ? ['Survival: each fault was done once to each variant. What healed was seen; how much was lost is one sample.'] : []), // prettier-ignore
    ...busy.map(({ title, provenance: { load, cores } }) => `${title}: the machine was busy with other work (load ${formatted(Math.max(...load), 1)} on ${cores} ${cores === 1 ? 'core' : 'cores'}). Compare the figures with each other, not with other machines'.`), // prettier-ignore
    ...(gaps === 0
      ? []
      : gaps === 1
        ? ['One measurement did not happen; it is shown as "not measured", with its reason.']
        : [
            `${formatted(gaps)} measurements did not happen; each is shown as "not measured", with its reason.`,
          ]),
    ...(kernels.size > 1
      ? ['The comparison and the survival matrix were measured on different machines.']
      : []),
  ]
  if (said.length === 0) return undefined
  return html`<ul class="cautions" aria-label="To be kept in mind">
    ${said.map((text) => html`<li>${text}</li>`)}
  </ul>`
}

function sources(comparison: Source<Comparison> | undefined, survival: Source<Survival> | undefined): Html {
  const list = [comparison, survival].filter((source) => source !== undefined)
  return html`<p>
    The raw samples, as JSON:
    ${list.map(({ file, href, result: { kind } }, index) => {
      const { verb } = Object.values(resultKinds).find((one) => one.kind === kind)!
      return html`${index > 0 ? ', ' : ''}${href === undefined ? html`<code>${file}</code>` : html`<a href="${href}"><code>${file}</code></a>`}
        (of <code>./overlab ${verb}</code>)`
    })}.
    Every number of this page is made from ${list.length === 1 ? 'it' : 'them'} alone.
  </p>`
}
