/**
 * Takes out of the data what has no business in a page that is passed on: a person's paths, keys, secrets of an
 * environment. The producers write none; a reason in the words of another program may still hold one.
 */

/** The same data with every text scrubbed. */
export function scrubbed<T>(data: T): T {
  if (typeof data === 'string') return scrub(data) as T
  if (Array.isArray(data)) return data.map(scrubbed) as T
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [scrub(key), scrubbed(value)])) as T
}

const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g
/** `TOKEN=...`, as an environment or a command line has it. */
const secret = /\b(\w*(?:PASS|SECRET|TOKEN|CREDENTIAL|KEY)\w*)=(?:"[^"]*"|'[^']*'|\S+)/gi
/** In somebody's home folder; of the path the last name stays, which says what was meant. */
const path = /(?:(?<!\S)~(?=\/)|(?:\/home|\/Users)\/[^/\s"'<>]+|(?<![\w.-])\/root\b)((?:\/[^\s"'<>:;,)]*)?)/g

function scrub(text: string): string {
  return text
    .replaceAll(key, '(a private key, left out)')
    .replaceAll(secret, '$1=(left out)')
    .replaceAll(path, (_, below: string) => `.../${below.split('/').findLast(Boolean) ?? ''}`)
}
