/** A question of `overlab explain`: how it is looked into, and what follows. */
import type { Claim } from './claim.ts'
import type { Labs } from './labs.ts'
import type { Notes } from './notes.ts'

interface Words {
  readonly number: number
  readonly question: string
  /** One sentence. */
  readonly answer: string
  /** What is tried, and which wrong answers it rules out; one sentence. */
  readonly experiment: string
}

export interface Inquiry<Facts> extends Words {
  /** Looks and tries; what it printed goes into the notes, what it read there comes back. */
  readonly gather: (labs: Labs, notes: Notes) => Promise<Facts>
  /** Pure. Each thing that the answer rests on, judged by the facts. */
  readonly claims: (facts: Facts) => Claim[]
}

export interface Question extends Words {
  readonly investigate: (
    labs: Labs,
    notes: Notes,
  ) => Promise<{ readonly facts: unknown; readonly claims: readonly Claim[] }>
}

/** Facts are the inquiry's own affair. */
export function question<Facts>({ gather, claims, ...words }: Inquiry<Facts>): Question {
  return {
    ...words,
    async investigate(labs, notes) {
      const facts = await gather(labs, notes)
      return { facts, claims: claims(facts) }
    },
  }
}
