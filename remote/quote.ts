/**
 * One word of a POSIX shell's command line. Words that need no quotes stay as they are, so that what a
 * person reads stays readable; everything else goes between single quotes, where nothing is special.
 *
 * @throws RangeError for a zero byte, which no shell can carry.
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('a word of a command line cannot hold a zero byte')
  // `~`, `=` and a leading `-` mean something in some places only; they are quoted or harmless as arguments.
  if (/^[A-Za-z0-9_@%+:,./-]+$/.test(word)) return word
  return `'${word.replaceAll("'", "'\\''")}'`
}
