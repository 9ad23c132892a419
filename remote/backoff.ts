export interface Backoff {
  /** Attempts in all, the first one included. */
  readonly attempts: number
  /** Longest wait before the second attempt, in ms; doubles from attempt to attempt. */
  readonly baseMs: number
  /** Longest wait ever, in ms. */
  readonly capMs: number
}

/**
 * Milliseconds to wait after the failed attempt number `attempt` (from 1): between half of an exponentially
 * growing time and all of it, so that hosts which failed together do not come back together.
 */
export function wait(
  attempt: number,
  { baseMs, capMs }: Backoff,
  random: () => number = Math.random,
): number {
  const most = Math.min(capMs, baseMs * 2 ** (attempt - 1))
  return Math.round(most / 2 + (most / 2) * random())
}
