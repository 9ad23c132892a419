/** Text as the standard input of a command in a script of a POSIX shell. */

/**
 * The lines of `COMMAND <<'WORD'`, the text, and `WORD`: a word that no line of the text is, so that no text can end
 * it and go on as commands.
 * @param rest what stands behind it on the first line, such as `|| exit 1`
 */
export function heredoc(command: string, lines: readonly string[], rest = ''): string[] {
  const taken = new Set(lines.flatMap((line) => line.split('\n')))
  let word = 'END'
  for (let number = 1; taken.has(word); number++) word = `END${number}`
  return [`${command} <<'${word}'${rest && ` ${rest}`}`, ...lines, word]
}
