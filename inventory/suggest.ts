import { distance } from 'fastest-levenshtein'

/** The known word that was probably meant: other case, or at most a third of the letters wrong. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase()
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(lower, candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
  const best = ranked[0]
  return best && best.edits <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

/** What to do about a word that is none of the known ones. */
export function suggestion(word: string, known: readonly string[]): string {
  const best = nearest(word, known)
  return best === undefined ? `use one of ${known.join(', ')}` : `did you mean ${best}?`
}
