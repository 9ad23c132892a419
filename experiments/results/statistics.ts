/** What several samples of one thing say together. Pure. */

export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly count: number
}

/** Undefined for no sample at all: that is no zero. */
export function summary(samples: readonly number[]): Summary | undefined {
  if (samples.length === 0) return undefined
  return {
    median: percentile(samples, 50),
    min: Math.min(...samples),
    max: Math.max(...samples),
    count: samples.length,
  }
}

/**
 * The value below which `percent` of the samples lie, between two samples by straight line (the usual definition, R's
 * type 7). @throws RangeError for no sample
 */
export function percentile(samples: readonly number[], percent: number): number {
  if (samples.length === 0) throw new RangeError('a percentile of no sample')
  const sorted = samples.toSorted((a, b) => a - b)
  const place = ((sorted.length - 1) * percent) / 100
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!]
  return below + (above - below) * (place - Math.floor(place))
}
