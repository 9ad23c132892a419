/** What the losses of a load say. Pure. */
import type { Loss, StreamLoss } from '../load.ts'

/** Without an answer for longer than this, in ms, a pair is dead for now: between two requests lie 10. */
const silence = 500

export type Measured = StreamLoss & Loss

export function measuredOf(losses: readonly StreamLoss[]): Measured[] {
  return losses.filter((loss): loss is Measured => 'lost' in loss)
}

/** `dead`: at least one pair gets no answer now. `open`: none is dead, and of some nothing is known. */
export type State = 'unharmed' | 'healed' | 'dead' | 'open'

export function stateOf(losses: readonly StreamLoss[]): State {
  const measured = measuredOf(losses)
  if (measured.some(({ lost, silentMs }) => lost > 0 && silentMs > silence)) return 'dead'
  if (measured.length < losses.length) return 'open'
  return measured.some(({ lost }) => lost > 0) ? 'healed' : 'unharmed'
}

export interface Sums {
  readonly sent: number
  readonly lost: number
  readonly outageMs: number
  readonly pairs: readonly { pair: string; sent: number; lost: number; outageMs: number }[]
}

/** Of all pairs that were measured; `pairs` has those that lost something. */
export function sumsOf(losses: readonly StreamLoss[]): Sums {
  const measured = measuredOf(losses)
  const sum = (key: 'sent' | 'lost') => measured.reduce((total, one) => total + one[key], 0)
  return {
    sent: sum('sent'),
    lost: sum('lost'),
    outageMs: Math.max(0, ...measured.map(({ outageMs }) => outageMs)),
    pairs: measured
      .filter(({ lost }) => lost > 0)
      .map(({ pair, sent, lost, outageMs }) => ({ pair, sent, lost, outageMs })),
  }
}
