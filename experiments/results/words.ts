/** Ratios and their intervals in words. Pure. */
import { fewestRounds } from './difference.ts'
import type { Interval } from './interval.ts'

/** `9.1`, `0.95`, `120`. What is not 1 is not shown as 1: a reader sees from it on which side an interval lies. */
export function ratioNumber(ratio: number): string {
  const text =
    ratio >= 100
      ? String(Math.round(ratio))
      : ratio < 0.1
        ? ratio.toPrecision(2)
        : ratio.toFixed(ratio >= 10 ? 1 : 2)
  if (Number(text) !== 1 || ratio === 1) return text
  const finer = [3, 4, 5, 6].map((digits) => ratio.toFixed(digits)).find((one) => Number(one) !== 1)
  return finer ?? text
}

/** `0.90 to 1.30` */
export function intervalWords({ low, high }: Pick<Interval, 'low' | 'high'>): string {
  return `${ratioNumber(low)} to ${ratioNumber(high)}`
}

/** Why a comparison of so many rounds claims nothing; undefined where it may. */
export function whyNoClaim(rounds: number): string | undefined {
  if (rounds >= fewestRounds) return undefined
  const measured = rounds === 1 ? 'One round was' : `${rounds} rounds were`
  return `${measured} measured: that tells no difference from noise, so none is claimed, and no variant is called the best. ./overlab compare --rounds ${fewestRounds} measures enough`
}
