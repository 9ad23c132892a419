/**
 * How far the mean of a few samples can be trusted: Vega's bootstrap, widened for their small number. Pure: the same
 * samples give the same interval.
 */
import { bootstrapCI, quantileNormal, randomLCG, setRandom } from 'vega-statistics'

export interface Interval {
  readonly middle: number
  readonly low: number
  readonly high: number
}

/**
 * A page states some twenty comparisons: at the usual 95 % one of them would be false, of equals. Of a hundred such
 * intervals one misses.
 */
export const confidence = 0.99

/** So often it is drawn: the ends then hold to a few hundredths of the width. */
const draws = 2000

/** Of the mean. @throws RangeError for fewer than two samples */
export function intervalOf(samples: readonly number[]): Interval {
  if (samples.length < 2) throw new RangeError('an interval of fewer than two samples')
  const middle = samples.reduce((sum, value) => sum + value, 0) / samples.length
  setRandom(randomLCG(samples.length))
  const [low = middle, high = middle] = bootstrapCI(samples, draws, 1 - confidence)
  setRandom(Math.random)
  const factor = widening(samples.length)
  // The rounding of a sum is no spread.
  return {
    middle,
    low: Math.min(middle, middle - factor * (middle - low)),
    high: Math.max(middle, middle + factor * (high - middle)),
  }
}

/**
 * A percentile interval of few samples is too narrow, and never reaches beyond them: of five equals it would find a
 * difference in one case of fifteen. Student's t in the place of the normal distribution, and the standard deviation's
 * own bias, as in Hesterberg, What Teachers Should Know About the Bootstrap (2015), 3.2.
 */
function widening(count: number): number {
  const share = 1 - (1 - confidence) / 2
  return (quantileT(share, count - 1) / quantileNormal(share)) * Math.sqrt(count / (count - 1))
}

/** Student's t by the normal distribution: Abramowitz and Stegun, 26.7.5. From four degrees on it is right to 2 %. */
export function quantileT(share: number, degrees: number): number {
  const z = quantileNormal(share)
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
  ]
  return terms.reduce((sum, term, index) => sum + term / degrees ** (index + 1), z)
}
