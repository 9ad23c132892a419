/** What was looked at or tried, as it is shown: the commands, and what they printed. */

export interface Evidence {
  readonly kind: 'evidence' | 'experiment'
  readonly title: string
  /** Of which lab: the running one, or one that was made for it. */
  readonly lab: string
  readonly runs: readonly Run[]
}

export interface Run {
  /** A host or a pod; none where the command was the reader's own. */
  readonly where?: string
  /** Behind a `#` it is said in words. */
  readonly command: string
  /** Cut to what matters; `...` stands for what was cut. */
  readonly output: string
}

/** Lines that match, or so many from the first on; runs of others become `...`. */
export function cut(output: string, keep?: RegExp | number): string {
  const lines = output.trimEnd().split('\n')
  if (keep === undefined) return lines.join('\n')
  const kept = lines.map((line, at) => (typeof keep === 'number' ? at < keep : keep.test(line)))
  return lines.flatMap((line, at) => (kept[at] ? [line] : at === 0 || kept[at - 1] ? ['...'] : [])).join('\n')
}
