/** etcd's own client on a host that has it. */
import { z } from 'zod'
import { visibleLines } from '../inventory/harmless.ts'
import { parseJson } from '../inventory/json.ts'
import { HostError } from './errors.ts'
import { quote } from './quote.ts'
import type { Session } from './session.ts'

/**
 * Runs lines of shell that call etcdctl against one endpoint; their standard output.
 * @throws HostError where etcd does not answer, or etcdctl is missing
 */
export async function etcdctl(
  session: Pick<Session, 'target' | 'run'>,
  endpoint: string,
  step: string,
  lines: readonly string[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  const script = [
    'set -e',
    `export LC_ALL=C ETCDCTL_API=3 ETCDCTL_ENDPOINTS=${quote(endpoint)} ETCDCTL_DIAL_TIMEOUT=3s ETCDCTL_COMMAND_TIMEOUT=10s`,
    ...lines,
  ]
  const { stdout, stderr, exitCode } = await session.run(`${script.join('\n')}\n`, { step, ...options })
  if (exitCode === 0) return stdout
  throw new HostError({
    host: session.target.name,
    step,
    why: `etcd at ${endpoint} did not do it`,
    command: lines.length === 1 ? lines[0]! : `${lines[0]} (and ${lines.length - 1} more)`,
    exitCode,
    stderr,
    ...(exitCode === 127 ? { hint: 'etcdctl is missing; npm run setup installs etcd-client' } : {}),
  })
}

/** The line that prints all keys below a prefix, for `parseKeys`. */
export function getAll(prefix: string): string {
  return `etcdctl get --prefix -w json -- ${quote(`${prefix}/`)}`
}

const answer = z.object({
  kvs: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]),
})

/** Keys and values as `etcdctl get -w json` prints them, each in base64. */
export function parseKeys(json: string): Readonly<Record<string, string>> {
  const { kvs } = parseJson(answer, json, '`etcdctl get -w json`')
  return Object.fromEntries(kvs.map(({ key, value }) => [decode(key), decode(value)]))
}

/** Anybody who reaches etcd may have written it. */
function decode(text: string): string {
  return visibleLines(Buffer.from(text, 'base64').toString('utf8'))
}
