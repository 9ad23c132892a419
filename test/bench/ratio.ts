/** What was measured in several rounds, or on two sides in the same ones, and whether it is what is wanted. Pure. */
import { summary, type Summary } from '../../experiments/results/statistics.ts'
import { three } from './table.ts'

export interface Target {
  readonly at: 'least' | 'most'
  readonly bound: number
}

/** One value a round; a round that one side lacks has no ratio. */
export type Rounds = ReadonlyMap<number, number>

export function ratios(own: Rounds, peer: Rounds): Summary | undefined {
  return summary([...own].flatMap(([round, value]) => (peer.has(round) ? value / peer.get(round)! : [])))
}

/** `0.99 (0.818 to 1.03)`; one round has no range. */
export function ratioText(found: Summary | undefined): string {
  if (!found) return notMeasured
  const { median, min, max, count } = found
  return count === 1 ? three(median) : `${three(median)} (${three(min)} to ${three(max)})`
}

export function wantedText({ at, bound }: Target, show = three): string {
  return `at ${at} ${show(bound)}`
}

/** Two sides that do the same differ by chance: then the rounds say now one, now the other. */
export function verdict(found: Summary | undefined, { at, bound }: Target): string {
  if (!found) return '?'
  const { median, min, max } = found
  if (at === 'least' ? median >= bound : median <= bound) return 'yes'
  return min <= bound && max >= bound ? 'within the rounds' : 'no'
}

export function medianText(values: Iterable<number>): string {
  const found = summary([...values])
  return found ? three(found.median) : notMeasured
}

/** Title, median, range, what is wanted (`most`, if anything is), whether that holds. */
export function summaryRow(
  title: string,
  values: readonly number[],
  show: (value: number) => string,
  most?: number,
): string[] {
  const found = summary(values)
  const target = most === undefined ? undefined : ({ at: 'most', bound: most } as const)
  return [
    title,
    found ? show(found.median) : notMeasured,
    found && found.count > 1 ? `${show(found.min)} to ${show(found.max)}` : '-',
    target ? wantedText(target, show) : '-',
    target ? verdict(found, target) : '-',
  ]
}

const notMeasured = 'not measured'
