/** Ansible's ranges in host names: `node[1:3]`, `node[01:10]`, `node[1:9:2]`, `rack[a:c]`, several in one name. */
import { mostHosts } from './schema.ts'

export type Expansion =
  { readonly names: readonly string[] } | { readonly what: string; readonly todo: string }

/** Pure; the names in order, or what is wrong with the pattern. A pattern without a range is its own name. */
export function expandRanges(pattern: string): Expansion {
  const open = pattern.indexOf('[')
  if (open < 0) {
    if (pattern.includes(']')) return wrong(pattern, 'has no [')
    return { names: [pattern] }
  }
  const close = pattern.indexOf(']', open)
  if (close < 0) return wrong(pattern, 'has no ]')
  const items = expandOne(pattern.slice(open + 1, close))
  if ('what' in items) return items
  const rest = expandRanges(pattern.slice(close + 1))
  if ('what' in rest) return rest
  if (items.names.length * rest.names.length > mostHosts)
    return tooMany(items.names.length * rest.names.length)
  const head = pattern.slice(0, open)
  return { names: items.names.flatMap((item) => rest.names.map((tail) => `${head}${item}${tail}`)) }
}

function expandOne(range: string): Expansion {
  const [from = '', to = '', step = '1', ...more] = range.split(':')
  if (to === '' || more.length > 0) return wrong(`[${range}]`, 'is not a range')
  if (!/^[1-9]\d{0,8}$/.test(step)) return wrong(`[${range}]`, 'has a step that is no number above 0')
  // Ansible starts at 0 where the start is left out.
  const start = from === '' ? '0' : from
  if (/^\d{1,15}$/.test(start) && /^\d{1,15}$/.test(to)) {
    // A leading zero means: as many digits as the start has. Ansible refuses an end of another width.
    const padded = start.length > 1 && start.startsWith('0')
    if (padded && to.length !== start.length) return wrong(`[${range}]`, 'has ends of different width')
    return sequence(range, Number(start), Number(to), Number(step), (n) =>
      String(n).padStart(padded ? start.length : 0, '0'),
    )
  }
  if (/^[a-zA-Z]$/.test(start) && /^[a-zA-Z]$/.test(to)) {
    return sequence(range, start.charCodeAt(0), to.charCodeAt(0), Number(step), (n) => String.fromCharCode(n))
  }
  return wrong(`[${range}]`, 'is not a range')
}

function sequence(
  range: string,
  from: number,
  to: number,
  step: number,
  word: (n: number) => string,
): Expansion {
  if (from > to) return wrong(`[${range}]`, 'runs backwards')
  const count = Math.floor((to - from) / step) + 1
  if (count > mostHosts) return tooMany(count)
  return { names: Array.from({ length: count }, (_, index) => word(from + index * step)) }
}

function wrong(text: string, why: string): Expansion {
  return {
    what: `${text} ${why}`,
    todo: 'write a range such as node[1:3], node[01:10], node[1:9:2] or node[a:c]',
  }
}

function tooMany(count: number): Expansion {
  return {
    what: `stands for ${count} hosts, and a lab has at most ${mostHosts}`,
    todo: 'make the range shorter',
  }
}
