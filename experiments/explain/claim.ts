/** What an answer rests on, sentence by sentence, and whether the lab behaved so. Pure. */
import { isNotMeasured, type Measured, type NotMeasured } from './measured.ts'

export type Claim = { readonly claim: string } & (
  { readonly holds: boolean; readonly because: string } | NotMeasured
)

export type Verdict = 'confirmed' | 'refuted' | 'not measured'

/** One claim that does not hold refutes the answer; one that was not measured leaves it open. */
export function verdictOf(claims: readonly Claim[]): Verdict {
  if (claims.some((one) => 'holds' in one && !one.holds)) return 'refuted'
  return claims.length > 0 && claims.every((one) => 'holds' in one) ? 'confirmed' : 'not measured'
}

/** Whether a claim holds, by what was measured. */
export function claim<T extends object>(
  text: string,
  measured: Measured<T>,
  judge: (of: T) => readonly [holds: boolean, because: string],
): Claim {
  if (isNotMeasured(measured)) return { claim: text, notMeasured: measured.notMeasured }
  const [holds, because] = judge(measured)
  return { claim: text, holds, because }
}
