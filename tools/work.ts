/**
 * The contract of a part of set-up. Every part first says what it finds and what it would do; only when no part
 * has a problem does anything change.
 */
export interface Part {
  /** What it looks after, as in a sentence: `the Pulumi CLI`. */
  readonly name: string
  /** Looks, changes nothing. Undefined = nothing is missing. Must be quick then: it runs at every start. */
  plan(): Promise<Work | undefined>
}

export interface Work {
  /** What prevents it: one line each, with what to do about it. */
  readonly problems: readonly string[]
  /** What will be installed or changed outside the repository, one line each. */
  readonly outside: readonly string[]
  readonly tasks: readonly Task[]
}

export interface Task {
  /** What is being done: `building pulumi 3.259.0`. */
  readonly title: string
  /** It talks with the user itself, so nothing may be drawn meanwhile. */
  readonly interactive?: boolean
  /** Throws SetupError where it fails. `say` replaces the detail shown beside the title. */
  run(say: (detail: string) => void): Promise<void>
}

/** A failure that its message explains: what, why, and what to do. Shown without a stack trace. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}

export function problem(line: string): Work {
  return { problems: [line], outside: [], tasks: [] }
}
