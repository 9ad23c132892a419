/** Two lists laid side by side, so that one missing item is one difference and not a shift of all that follow. */

export interface Alignment {
  /** Index in `wanted` -> the item that stands in its place: equal, or another one that took the place. */
  readonly at: ReadonlyMap<number, string>
  /** Items with no place in `wanted`: the `count`th after the first `after` of it. */
  readonly extra: readonly { readonly after: number; readonly count: number; readonly item: string }[]
}

/** By the longest common subsequence; what is left between two equal items is paired in order. */
export function align(found: readonly string[], wanted: readonly string[]): Alignment {
  const at = new Map<number, string>()
  const extra: { after: number; count: number; item: string }[] = []
  let from = 0
  let place = 0
  const close = (untilFound: number, untilWanted: number): void => {
    for (let count = 0; from < untilFound; from++) {
      if (place < untilWanted) at.set(place++, found[from]!)
      else extra.push({ after: place, count: ++count, item: found[from]! })
    }
    place = untilWanted
  }
  for (const [i, j] of common(found, wanted)) {
    close(i, j)
    at.set(j, found[i]!)
    from = i + 1
    place = j + 1
  }
  close(found.length, wanted.length)
  return { at, extra }
}

/** Index pairs of the longest common subsequence. */
function common(a: readonly string[], b: readonly string[]): [number, number][] {
  const length = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      length[i]![j] =
        a[i] === b[j] ? length[i + 1]![j + 1]! + 1 : Math.max(length[i + 1]![j]!, length[i]![j + 1]!)
  const pairs: [number, number][] = []
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++])
    else if (length[i + 1]![j]! >= length[i]![j + 1]!) i++
    else j++
  }
  return pairs
}
