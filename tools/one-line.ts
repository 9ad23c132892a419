/**
 * Text for one line of a terminal: what does not fit goes word by word, and `…` stands for it. Only a word that is
 * longer than half of the line is cut itself. Pure.
 * @param columns at least 1
 */
export function oneLine(text: string, columns: number): string {
  if (text.length <= columns) return text
  const whole = text.slice(0, columns - 1)
  // A blank may be the first character that does not fit.
  const end = text.slice(0, columns).lastIndexOf(' ')
  const kept = end > columns / 2 ? whole.slice(0, end) : whole
  return `${kept.trimEnd().replace(/[,;:]$/, '')}…`
}
