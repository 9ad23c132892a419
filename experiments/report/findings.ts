/** What the results say, in plain sentences that the data alone decides: another run, other sentences. Pure. */
import { underlay as baseline, type Comparison, type Metric } from '../results/comparison.ts'
import { differenceOf, type Difference } from '../results/difference.ts'
import { isMeasured, type Measured, type Row } from '../results/rows.ts'
import type { Cell, Heals, Survival } from '../results/survival.ts'
import { intervalWords } from '../results/words.ts'
import { backends } from '../variants/variant.ts'
import { decimalsFor, formatted, listed, percent, thinSpace, times } from './number.ts'
import { inWords, type Named } from './words.ts'

export interface Finding {
  /** What it is about, where the sentence itself does not say. */
  readonly subject?: string
  readonly text: string
  /** The numbers that it rests on. */
  readonly evidence?: string
}

/** One variant and what was measured of it. */
interface Of {
  readonly variant: Named
  readonly cell: Measured
}

/** How one metric is spoken of. Of any other metric the table tells all. A sentence may begin with a name, which stays as it is. */
interface Voice {
  readonly metric: string
  /** `a` is the static one, `b` flanneld's; a difference is claimed. */
  readonly apart: (a: string, b: string, ratio: number) => string
  /** Of these backends, each with its ratio of static to flanneld, none is claimed. */
  readonly level: (backends: string) => string
  readonly nearest?: (shares: string, many: boolean) => string
}

const voices: readonly Voice[] = [
  {
    metric: 'tcp-1',
    apart: (a, b, ratio) =>
      `${a} carries ${ratio > 1 ? times(ratio) : `${percent(ratio)} of`} what ${b} does.`,
    level: (names) => `${names}: no difference in throughput found between static and flanneld's.`,
    nearest: (shares, many) =>
      `Of the static overlays, ${shares} ${many ? 'come' : 'comes'} nearest to the throughput of the bare underlay.`,
  },
  {
    metric: 'rtt-p50',
    apart: (a, b, ratio) =>
      `There and back by ${a} takes ${ratio > 1 ? times(ratio) : `${percent(ratio)} of`} the time that ${b} needs.`,
    level: (names) => `${names}: no difference in round-trip time found between static and flanneld's.`,
  },
  {
    metric: 'cpu-per-gigabyte',
    apart: (a, b, ratio) =>
      `A gigabyte by ${a} costs ${ratio > 1 ? times(ratio) : `${percent(ratio)} of`} the CPU time that ${b} takes.`,
    level: (names) => `${names}: no difference in CPU time found between static and flanneld's.`,
  },
]

export function comparisonFindings({ variants, metrics }: Comparison, rows: readonly Row[]): Finding[] {
  return voices.flatMap((voice) => {
    const metric = metrics.find(({ id }) => id === voice.metric)
    const row = rows.find((one) => one.metric === metric && one.of === undefined)
    if (!metric || !row) return []
    const all = variants.flatMap((variant, index): Of[] => {
      const cell = row.cells[index]
      return isMeasured(cell) ? [{ variant, cell }] : []
    })
    return [...byControl(voice, metric, all), ...nearest(voice, metric, all)]
  })
}

/** Each backend without flanneld and with it. Of too few rounds nothing is said. */
function byControl(voice: Voice, metric: Metric, all: readonly Of[]): Finding[] {
  const pairs = backends.flatMap((backend) => {
    const of = (control: string) =>
      all.find(({ variant }) => variant.backend === backend && variant.control === control)
    const [ours, theirs] = [of('static'), of('flanneld')]
    if (!ours || !theirs) return []
    const found = differenceOf(ours.cell, theirs.cell)
    return 'ratio' in found && found.ratio ? [{ backend, ours, theirs, ...found, ratio: found.ratio }] : []
  })
  const level = pairs.filter(({ verdict }) => verdict === 'no difference found')
  return [
    ...pairs
      .filter((pair) => !level.includes(pair))
      .map(({ ours, theirs, ratio, rounds }) => ({
        text: voice.apart(inWords(ours.variant), inWords(theirs.variant), ratio.middle),
        evidence: `${evidenceOf(metric, [ours, theirs])}; ratio ${intervalWords(ratio)}, ${rounds} rounds`,
      })),
    ...(level.length === 0
      ? []
      : [
          {
            text: voice.level(
              listed(level.map(({ backend, ratio }) => `${backend} (ratio ${intervalWords(ratio)})`)),
            ),
            evidence: `${evidenceOf(
              metric,
              level.flatMap(({ ours, theirs }) => [ours, theirs]),
            )}; ${roundsOf(level)}`,
          },
        ]),
  ]
}

/** `5 rounds`, `4 to 5 rounds` */
function roundsOf(all: readonly Pick<Difference, 'rounds'>[]): string {
  const counts = all.map(({ rounds }) => rounds)
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)]
  return fewest === most ? `${most} rounds` : `${fewest} to ${most} rounds`
}

/**
 * The static overlays that cost least against none: the best, and those to which no difference was found. Said only
 * where another one is claimed to be worse.
 */
function nearest(voice: Voice, metric: Metric, all: readonly Of[]): Finding[] {
  const bare = all.find(({ variant }) => variant.name === baseline)
  const [best, ...others] = all
    .filter(({ variant }) => variant.control === 'static')
    .toSorted((a, b) => b.cell.median - a.cell.median)
  if (!voice.nearest || !bare || !best) return []
  const verdicts = others.map((one) => ({ one, ...differenceOf(best.cell, one.cell) }))
  if (!verdicts.some(({ verdict }) => verdict === 'higher')) return []
  const near = [
    best,
    ...verdicts.flatMap(({ one, verdict }) => (verdict === 'no difference found' ? [one] : [])),
  ]
  const shares = near.flatMap(({ variant, cell }) => {
    const found = differenceOf(cell, bare.cell)
    return 'ratio' in found && found.ratio ? [`${variant.name} (ratio ${intervalWords(found.ratio)})`] : []
  })
  if (shares.length < near.length) return []
  return [
    { text: voice.nearest(listed(shares), near.length > 1), evidence: evidenceOf(metric, [...near, bare]) },
  ]
}

function evidenceOf({ title, unit }: Metric, all: readonly Of[]): string {
  const decimals = decimalsFor(all.map(({ cell }) => cell.median))
  const values = all.map(({ variant, cell }) => `${variant.name} ${formatted(cell.median, decimals)}`)
  return `${title}: ${values.join(', ')}${unit === '' ? '' : `${thinSpace}${unit}`}`
}

/** The outcomes, the best first, as one and as several variants are said to have them. */
const spoken = {
  unharmed: ['loses nothing', 'lose nothing'],
  'by itself': ['heals by itself', 'heal by themselves'],
  'by pulumi up': ['needs pulumi up', 'need pulumi up'],
  never: ['does not come back', 'do not come back'],
} as const satisfies Record<Heals, readonly [string, string]>

type Harm = Extract<Cell, { heals: Heals }>

/** So many groups of faults are told; the matrix has all. */
const mostTold = 4

export function survivalFindings({ variants, faults, cells }: Survival): Finding[] {
  const measured = cells.filter((cell) => 'heals' in cell)
  const told = faults
    .map(({ id, title }) => ({ title, of: measured.filter(({ fault }) => fault === id) }))
    .filter(({ of }) => of.length > 0)
  const harmless = told.filter(({ of }) => of.every(({ heals }) => heals === 'unharmed'))
  // What tells the variants apart is news. Faults with the same outcome are told together.
  const dividing = told.filter(({ of }) => new Set(of.map(({ heals }) => heals)).size > 1)
  const alike = Map.groupBy(dividing, ({ of }) => outcomeOf(of))
  const lasting = variants
    .filter(({ name, control }) => {
      const own = measured.filter(({ variant }) => variant === name)
      return control === 'static' && own.length > 0 && own.every(({ heals }) => heals !== 'never')
    })
    .map(({ name }) => name)
  return [
    ...[...alike].slice(0, mostTold).map(([outcome, group]) => ({
      subject: group.map(({ title }) => title).join('; '),
      text: `${outcome}.`,
      evidence: lossOf(group.flatMap(({ of }) => of)),
    })),
    ...(harmless.length === 0
      ? []
      : [
          {
            text: `No variant loses a packet by ${harmless.length} of ${told.length} faults.`,
            evidence: harmless.map(({ title }) => title).join('; '),
          },
        ]),
    ...(lasting.length === 0
      ? []
      : [
          {
            text: `${listed(lasting)} without a daemon ${lasting.length === 1 ? 'comes' : 'come'} back from every fault, alone or by pulumi up.`,
          },
        ]),
  ]
}

/** `vxlan and host-gw lose nothing; udp needs pulumi up` */
function outcomeOf(cells: readonly Harm[]): string {
  return Object.entries(spoken)
    .map(([heals, words]) => ({ words, of: cells.filter((cell) => cell.heals === heals) }))
    .filter(({ of }) => of.length > 0)
    .map(
      ({ words: [one, many], of }) =>
        `${listed(of.map(({ variant }) => variant))} ${of.length === 1 ? one : many}`,
    ) // prettier-ignore
    .join('; ')
}

/** What was lost, of all that was sent, by each that lost something: over several faults from the least to the most. */
function lossOf(cells: readonly Harm[]): string {
  const harmed = Map.groupBy(
    cells.filter(({ lost }) => lost > 0),
    ({ variant }) => variant,
  )
  return [...harmed]
    .map(([variant, of]) => {
      const shares = of
        .map(({ lost, sent }) => lost / sent)
        .toSorted((a, b) => a - b)
        .map(percent)
      const [least, most] = [shares.at(0)!, shares.at(-1)!]
      return `${variant} lost ${least === most ? least : `${least} to ${most}`}`
    })
    .join(', ')
}
