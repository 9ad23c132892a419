/** What of Vega's statistics is used here; the package brings no types. */
declare module 'vega-statistics' {
  /**
   * The percentile bootstrap's interval of the mean: `samples` times as many values are drawn with replacement, and of
   * their means the quantiles alpha/2 and 1 - alpha/2 are taken. Drawn by the generator that setRandom names.
   */
  export function bootstrapCI(
    values: readonly number[],
    samples: number,
    alpha: number,
  ): [number, number] | [undefined, undefined]
  /** A generator that gives the same numbers for the same seed. */
  export function randomLCG(seed: number): () => number
  /** What draws from now on, in the whole process. */
  export function setRandom(generator: () => number): void
  /** The value below which that share of a normal distribution lies. */
  export function quantileNormal(share: number, mean?: number, deviation?: number): number
}
