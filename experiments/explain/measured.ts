/** A measurement that may not have happened: then it is its reason, never a zero. */
import { HostError } from '../../remote/errors.ts'

export interface NotMeasured {
  /** Why. */
  readonly notMeasured: string
}
export type Measured<T> = T | NotMeasured

/** Thrown where something cannot be measured here; the message says why. */
export class CannotMeasure extends Error {
  override readonly name = 'CannotMeasure'
}

export function isNotMeasured<T extends object>(of: Measured<T>): of is NotMeasured {
  return 'notMeasured' in of
}

/** A host that fails, and what cannot be measured here, is a value; an interrupted caller is not. */
export async function measured<T extends object>(
  act: () => Promise<T>,
  signal?: AbortSignal,
): Promise<Measured<T>> {
  try {
    return await act()
  } catch (error) {
    if (signal?.aborted) throw error
    if (error instanceof CannotMeasure) return { notMeasured: error.message }
    if (error instanceof HostError) return { notMeasured: error.brief }
    throw error
  }
}

/** Where somebody set right what was taken away, in the middle of it: flanneld does every few seconds. */
export class Disturbed extends CannotMeasure {}

/** Once more, and once more again, where it was disturbed. @throws Disturbed at the third time */
export async function undisturbed<T>(act: () => Promise<T>): Promise<T> {
  for (let left = 3; ; left--) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof Disturbed) || left <= 1) throw error
    }
  }
}
