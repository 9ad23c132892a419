/**
 * What one host says of a flannel network, whoever made it: rows of its kernel, what flanneld wrote for the CNI
 * plugin, and which daemons live. Needs a shell with iproute2 and nothing of overlab's.
 */
import type { Name } from '../../inventory/values.ts'
import { readEntries, type Entry } from '../../modules/json.ts'
import { HostError } from '../../remote/errors.ts'
import type { Session } from '../../remote/session.ts'

export interface HostReading {
  readonly host: Name
  /** With their addresses. */
  readonly links: readonly Entry[]
  /** Of the main table. */
  readonly routes: readonly Entry[]
  /** The permanent ones. */
  readonly neighbours: readonly Entry[]
  readonly fdb: readonly Entry[]
  /** What flanneld wrote to subnet.env; '' where there is none. */
  readonly subnetEnv: string
  readonly daemons: readonly Daemon[]
}

export interface Daemon {
  readonly name: 'flanneld' | 'etcd'
  readonly pid: number
  /** Whether overlab started it, and so ends it. */
  readonly overlabs: boolean
}

export const subnetFile = '/run/flannel/subnet.env'

const commands = {
  links: 'ip -j -d addr show',
  routes: 'ip -4 -j route show table main',
  neighbours: 'ip -4 -j neigh show nud permanent',
  fdb: 'bridge -j fdb show',
  subnetEnv: `cat ${subnetFile} 2>/dev/null || :`,
  // By the name that the kernel has of it (15 letters of flanneld-0.28.10); PID NAME, then the id that overlab noted.
  daemons: `pgrep -l '^(flanneld|etcd$)' || :; cut -d' ' -f1 /run/overlab-services/*/pid 2>/dev/null || :`,
} as const
type Part = keyof typeof commands

const script = [
  'set -e',
  'export LC_ALL=C',
  ...Object.entries(commands).flatMap(([part, command]) => [`printf '\\n@overlab ${part}\\n'`, command]),
  '',
].join('\n')

/** One round trip; changes nothing. @throws HostError */
export async function readHost(
  host: Name,
  session: Pick<Session, 'target' | 'run'>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<HostReading> {
  const step = 'read the network'
  const { stdout, stderr, exitCode } = await session.run(script, { step, ...options })
  if (exitCode !== 0) throw new HostError({ host, step, why: 'a command failed', exitCode, stderr })
  try {
    return parseReading(host, Object.fromEntries(split(stdout)) as Record<Part, string>)
  } catch (error) {
    throw new HostError({ host, step, why: (error as Error).message }, { cause: error })
  }
}

/** Pure. @throws Error where a tool's answer makes no sense */
export function parseReading(host: Name, texts: Readonly<Record<Part, string>>): HostReading {
  const list = (part: Part) => readEntries(texts[part], commands[part])
  return {
    host,
    links: list('links'),
    routes: list('routes'),
    neighbours: list('neighbours'),
    fdb: list('fdb'),
    subnetEnv: texts.subnetEnv,
    daemons: daemonsOf(texts.daemons),
  }
}

function split(stdout: string): [string, string][] {
  return stdout
    .split(/\n@overlab /)
    .slice(1)
    .map((section) => {
      const end = section.indexOf('\n')
      return [section.slice(0, end), section.slice(end + 1)]
    })
}

function daemonsOf(text: string): Daemon[] {
  const noted = new Set([...text.matchAll(/^(\d+)$/gm)].map(([pid]) => Number(pid)))
  return [...text.matchAll(/^(\d+) (flanneld|etcd)/gm)].map(([, pid, name]) => ({
    name: name as Daemon['name'],
    pid: Number(pid),
    overlabs: noted.has(Number(pid)),
  }))
}
