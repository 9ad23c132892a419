import { distance } from 'fastest-levenshtein'

/**
 * The known word that was probably meant: other case, or at most a third of the letters wrong. A number is never
 * meant: 9 is no slip of 1.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase()
  const ranked = known
    .filter((candidate) => !/^\d+$/.test(candidate))
    .map((candidate) => ({ candidate, edits: edits(lower, candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
  const best = ranked[0]
  return best && best.edits <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

/** What to do about a word that is none of the known ones. */
export function suggestion(word: string, known: readonly string[]): string {
  if (known.length === 1) return `use ${known[0]}`
  const best = nearest(word, known)
  return best === undefined ? `use one of ${listed(known)}` : `did you mean ${best}?`
}

/** More than that nobody reads through. */
const mostListed = 20

function listed(known: readonly string[]): string {
  const more = known.length - mostListed
  return more > 0 ? `${known.slice(0, mostListed).join(', ')} and ${more} more` : known.join(', ')
}

/** Levenshtein's distance, with two neighbours exchanged (the commonest slip) as one edit instead of two. */
function edits(a: string, b: string): number {
  const count = distance(a, b)
  const letters = (word: string) => [...word].sort().join('')
  return count === 2 && letters(a) === letters(b) ? 1 : count
}
