import type { Path } from './mistakes.ts'

/** A value and where the file gives it. */
export interface Variable {
  readonly value: unknown
  readonly path: Path
}
