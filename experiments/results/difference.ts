/**
 * Whether two variants differ, by what was measured: sample against sample of the same round, since what else ran on
 * the computer met both in it. A difference is claimed only where it stands out of the noise. Pure.
 */
import { intervalOf, type Interval } from './interval.ts'

/** One variant's samples; `round` pairs them with another's. */
export interface Series {
  readonly samples: readonly { readonly round: number; readonly value: number }[]
}

/** From fewer no claim follows: of three equals the samples lie apart in one case of ten. */
export const fewestRounds = 5

export type Difference = {
  /** In which both were measured. */
  readonly rounds: number
} & (
  | { readonly verdict: 'too few rounds' }
  | {
      /** Of the first to the second; `no difference found`: the interval holds both sides. */
      readonly verdict: 'higher' | 'lower' | 'no difference found'
      /** Of the first to the second, with its interval. Not where a sample is zero or below. */
      readonly ratio?: Interval
    }
)

export function differenceOf(one: Series, other: Series): Difference {
  const pairs = one.samples.flatMap(({ round, value }) =>
    other.samples.filter((sample) => sample.round === round).map((sample) => [value, sample.value] as const),
  )
  const rounds = pairs.length
  if (rounds < fewestRounds) return { rounds, verdict: 'too few rounds' }
  // No ratio to nothing; one more than each keeps a single large loss from hiding all the others.
  if (pairs.some(([a, b]) => a <= 0 || b <= 0))
    return { rounds, verdict: verdictOf(intervalOf(pairs.map(([a, b]) => aboveZero(a) - aboveZero(b)))) }
  const logs = intervalOf(pairs.map(([a, b]) => Math.log(a / b)))
  const { middle, low, high } = logs
  return {
    rounds,
    verdict: verdictOf(logs),
    ratio: { middle: Math.exp(middle), low: Math.exp(low), high: Math.exp(high) },
  }
}

/** Its logarithm, of one more; below zero its mirror. */
function aboveZero(value: number): number {
  return Math.sign(value) * Math.log1p(Math.abs(value))
}

/** Against zero: of a difference, and of a ratio's logarithm. */
function verdictOf({ low, high }: Interval): 'higher' | 'lower' | 'no difference found' {
  if (low > 0) return 'higher'
  return high < 0 ? 'lower' : 'no difference found'
}
