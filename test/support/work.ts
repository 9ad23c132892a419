/** How much work a function does, in calls and passes of loops, so that a test can bound it without a clock. */
import { Session } from 'node:inspector'

interface Coverage {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[]
  }[]
}

/**
 * From now on V8 counts how often it enters a function or a block. Only code that is loaded after this call is counted
 * wholly: import what is measured by `await import()`, and nothing that imports it before.
 * @param places only files whose address holds one of these
 * @returns runs a function and gives its count, the same on every machine; what built-in functions do is not in it
 */
export function countWork(places: readonly string[]): (act: () => void) => number {
  const session = new Session()
  session.connect()
  // Answers come before `post` returns: the session is this thread's own.
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  /** Since the last time it was asked. */
  const taken = (): number => {
    let count: number | undefined
    session.post('Profiler.takePreciseCoverage', (error: Error | null, coverage: Coverage) => {
      if (error) throw error
      count = coverage.result
        .filter(({ url }) => places.some((place) => url.includes(place)))
        .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map((range) => range.count)))
        .reduce((sum, one) => sum + one, 0)
    })
    if (count === undefined) throw new Error('V8 counted nothing')
    return count
  }
  return (act) => {
    taken()
    act()
    return taken()
  }
}
