/** Numbers as the report prints them. */

/** Between groups of three digits, and between a number and its unit: narrow, and no line ends there. */
export const thinSpace = '\u202f'

/**
 * How many decimals the values of one row get, so that they can be compared by eye: the smallest keeps two significant
 * digits; none where all are whole.
 */
export function decimalsFor(values: readonly number[]): number {
  if (values.every(Number.isInteger)) return 0
  const sizes = values.map(Math.abs).filter((value) => value > 0)
  const smallest = Math.min(...sizes)
  const largest = Math.max(...sizes)
  // Of the largest four figures at most: more than that is noise.
  const most = Math.max(0, 3 - Math.floor(Math.log10(largest)))
  return Math.min(most, Math.max(0, 1 - Math.floor(Math.log10(smallest))))
}

/** `12 345`, `0.080`; a value that the decimals would change by more than a tenth keeps two significant digits. */
export function formatted(value: number, decimals: number = decimalsFor([value])): string {
  const fixed = value.toFixed(decimals)
  if (Math.abs(Number(fixed) - value) > Math.abs(value) / 10) return String(Number(value.toPrecision(2)))
  const [whole = '', fraction] = fixed.split('.')
  const grouped = whole.replace('-', '\u2212').replace(/\B(?=(\d{3})+$)/g, thinSpace)
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

/** `9.1 x`, `12 x`: two significant digits, as far as a measured ratio can be trusted; `1.05 x`, which is not 1.1. */
export function times(ratio: number): string {
  return `${ratio < 2 ? Number(ratio.toFixed(2)) : Number(ratio.toPrecision(2))} \u00d7`
}

/** `81 %` */
export function percent(share: number): string {
  const value = 100 * share
  return `${value < 10 ? Number(value.toPrecision(2)) : Math.round(value)}${thinSpace}%`
}

/** `vxlan, host-gw and udp` */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
