/** Where the numbers come from: a column for each of the two files. */
import type { Provenance } from '../results/provenance.ts'
import { html, type Html } from './html.ts'
import { formatted } from './number.ts'

export interface Origin {
  /** `Comparison`, `Survival`. */
  readonly title: string
  readonly provenance: Provenance
}

const rows: readonly (readonly [string, (of: Provenance) => string])[] = [
  ['Begun', ({ startedAt }) => moment(startedAt)],
  ['Ended', ({ endedAt }) => moment(endedAt)],
  ['Command', ({ command }) => `./overlab ${command.join(' ')}`],
  ['Machines', ({ machines: { driver, hosts, pods } }) => `${hosts} hosts with ${pods} pods, ${driver}`],
  ['Kernel', ({ kernel }) => kernel],
  ['Processor', ({ cpu, cores }) => `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}`],
  ['Memory', ({ memory }) => `${formatted(Math.round(memory / 2 ** 30))} GiB`],
  [
    'Load at the start, at the end',
    ({ load: [start, end] }) => `${formatted(start, 1)}, ${formatted(end, 1)}`,
  ],
]

/** What a record itself holds: a file may name a key as an object's own parts are named, `constructor`. */
function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

export function provenanceTable(origins: readonly Origin[]): Html {
  const programs = [...new Set(origins.flatMap(({ provenance }) => Object.keys(provenance.versions)))]
  const line = (title: string, value: (of: Provenance) => string) =>
    html`<tr>
      <th scope="row">${title}</th>
      ${origins.map(({ provenance }) => html`<td>${value(provenance)}</td>`)}
    </tr>`
  return html`
    <div class="scroll" role="region" tabindex="0" aria-labelledby="provenance-caption">
      <table class="provenance">
        <caption id="provenance-caption">
          Where and when it was measured
        </caption>
        <thead>
          <tr>
            <th scope="col">What</th>
            ${origins.map(({ title }) => html`<th scope="col">${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(([title, value]) => line(title, value))}
          ${programs.map((name) => line(name, ({ versions }) => own(versions, name) ?? '–'))}
        </tbody>
      </table>
    </div>
    ${origins.map(offloads)}
  `
}

/** Which offloads were on: they decide more about a throughput than the backend does. */
function offloads({ title, provenance }: Origin): Html | undefined {
  const variants = Object.keys(provenance.offloads)
  const names = [...new Set(Object.values(provenance.offloads).flatMap((flags) => Object.keys(flags)))]
  if (names.length === 0) return undefined
  const word = (flag: boolean | undefined) => (flag === undefined ? '–' : flag ? 'on' : 'off')
  return html`<details>
    <summary>Offloads of the devices: ${title.toLowerCase()}</summary>
    <div
      class="scroll"
      role="region"
      tabindex="0"
      aria-label="Offloads of the devices: ${title.toLowerCase()}"
    >
      <table class="offloads">
        <caption class="unseen">
          Offloads of the devices, variant by variant
        </caption>
        <thead>
          <tr>
            <th scope="col">Offload</th>
            ${variants.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${names.map(
            (name) =>
              html`<tr>
                <th scope="row">${name}</th>
                ${variants.map((variant) => html`<td>${word(own(own(provenance.offloads, variant) ?? {}, name))}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`
}

/** `2026-11-22 20:10 UTC` */
export function moment(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}
