/**
 * A path pattern as a regular expression: `*` is anything but `/`, `**` anything, `?` one character but `/`,
 * `[ab]`, `[a-z]`, `[!ab]`, `{one,other}`, and `\` takes the next character as it is.
 *
 * @throws Error for a bracket or brace that is never closed
 */
export function globToRegExp(pattern: string): RegExp {
  let source = ''
  let depth = 0
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] as string
    if (character === '*') {
      if (pattern[index + 1] === '*') {
        while (pattern[index + 1] === '*') index++
        source += '[^]*'
      } else source += '[^/]*'
    } else if (character === '?') source += '[^/]'
    else if (character === '[') {
      const close = pattern.indexOf(']', index + 2)
      if (close === -1) throw new Error(`path pattern ${JSON.stringify(pattern)}: a "[" is never closed`)
      const body = pattern.slice(index + 1, close)
      source += `[${body.replace(/^!/, '^').replace(/[\\[]/g, '\\$&')}]`
      index = close
    } else if (character === '{') {
      depth++
      source += '(?:'
    } else if (character === '}' && depth > 0) {
      depth--
      source += ')'
    } else if (character === ',' && depth > 0) source += '|'
    else if (character === '\\') source += escape(pattern[++index] ?? '\\')
    else source += escape(character)
  }
  if (depth > 0) throw new Error(`path pattern ${JSON.stringify(pattern)}: a "{" is never closed`)
  return new RegExp(`^${source}$`, 'u')
}

function escape(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
