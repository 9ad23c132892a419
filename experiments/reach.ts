/** Who reaches whom: real pings from every host and pod to every host and pod, measured where they are sent. */
import type { Ip, Name } from '../inventory/values.ts'
import type { LabPlan } from '../overlay/plan.ts'
import { HostError } from '../remote/errors.ts'
import type { Pool } from '../remote/pool.ts'
import type { Target } from '../remote/target.ts'

export interface Endpoint {
  readonly name: Name
  readonly kind: 'host' | 'pod'
  readonly address: Ip
  /** The host it is, or is on. */
  readonly host: Name
}

export interface Reach {
  readonly from: Endpoint
  readonly to: Endpoint
  readonly sent: number
  readonly received: number
  /** Round-trip times in ms, as ping prints them; missing where nothing came back. */
  readonly rtt?: { readonly min: number; readonly avg: number; readonly max: number }
  /** Why there is no measurement: then `sent` is 0, and that is no loss. */
  readonly notMeasured?: string
}

export interface ReachOptions {
  /** Echo requests a pair. Default 3. */
  readonly count?: number
  /** Seconds between two of them. Default 0.05. */
  readonly interval?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, of: number) => void
}

/** Pings under way at once from one source: enough to be quick, few enough not to measure the controller's own load. */
const atOnce = 8

/** Hosts first, then pods, each in the inventory's order. */
export function endpoints(plan: LabPlan): Endpoint[] {
  const hosts = Object.values(plan.hosts)
  return [
    ...hosts.map(({ name, address }) => ({ name, kind: 'host' as const, address, host: name })),
    ...hosts.flatMap((host) =>
      host.pods.map(({ name, address }) => ({ name, kind: 'pod' as const, address, host: host.name })),
    ),
  ]
}

/** Every endpoint to every other one; one round trip a host. A host that cannot be asked yields `notMeasured`, not zeros. */
export async function measureReach(
  pool: Pool,
  plan: LabPlan,
  targets: Readonly<Record<string, Target>>,
  options: ReachOptions = {},
): Promise<Reach[]> {
  const all = endpoints(plan)
  const hosts = Object.keys(plan.hosts)
  let done = 0
  const rows = await Promise.all(
    hosts.map(async (host) => {
      const sources = all.filter((endpoint) => endpoint.host === host)
      const measured = await fromHost(pool, targets[host]!, sources, all, options).catch((error: unknown) => {
        if (!(error instanceof HostError)) throw error
        return notMeasured(sources, all, `${error.host}: ${error.step}: ${error.why}`)
      })
      options.onProgress?.(++done, hosts.length)
      return measured
    }),
  )
  const order = new Map(all.map(({ name }, index) => [name, index]))
  return rows.flat().toSorted((a, b) => order.get(a.from.name)! - order.get(b.from.name)!)
}

async function fromHost(
  pool: Pool,
  target: Target,
  sources: readonly Endpoint[],
  all: readonly Endpoint[],
  options: ReachOptions,
): Promise<Reach[]> {
  const session = await pool.session(target)
  const { stdout, stderr, exitCode } = await session.run(reachScript(sources, all, options), {
    step: 'ping',
    ...(options.signal ? { signal: options.signal } : {}),
  })
  if (exitCode !== 0)
    throw new HostError({ host: target.name, step: 'ping', why: 'the script failed', exitCode, stderr })
  return parseReach(stdout, sources, all)
}

/** Pure. One POSIX script for all sources of a host; names and addresses are shell-safe by their types. */
export function reachScript(sources: readonly Endpoint[], all: readonly Endpoint[], options: ReachOptions = {}): string {
  const { count = 3, interval = 0.05 } = options
  const ofSource = ({ name, kind }: Endpoint) => {
    const addresses = all.filter((to) => to.name !== name).map((to) => to.address)
    const script = [
      `one() { echo "${name} $1 $(ping -n -q -c ${count} -i ${interval} -W 1 "$1" 2>&1 | tail -n 3 | tr '\\n' ' ')"; }`,
      `n=0; for to in ${addresses.join(' ')}; do one "$to" & n=$((n + 1)); [ $n -lt ${atOnce} ] || { wait; n=0; }; done; wait`,
    ]
    const shell = kind === 'pod' ? `ip netns exec ${name} sh` : 'sh'
    return [`${shell} 2>&1 <<'END'`, ...script, 'END'].join('\n')
  }
  return `export LC_ALL=C\n${sources.map(ofSource).join('\n')}\n`
}

/** Pure. What ping printed, for every pair; a pair whose ping said nothing of packets was not measured. */
export function parseReach(output: string, sources: readonly Endpoint[], all: readonly Endpoint[]): Reach[] {
  const lines = new Map(output.split('\n').map((line) => [line.split(' ', 2).join(' '), line]))
  return pairs(sources, all).map(({ from, to }) => {
    const line = lines.get(`${from.name} ${to.address}`) ?? ''
    const packets = /(\d+) packets transmitted, (\d+) received/.exec(line)
    if (!packets) {
      const said = line.split(' ').slice(2).join(' ').trim()
      return { from, to, sent: 0, received: 0, notMeasured: said || `${from.name} did not answer` }
    }
    const rtt = /rtt min\/avg\/max\/mdev = ([\d.]+)\/([\d.]+)\/([\d.]+)\//.exec(line)
    return {
      from,
      to,
      sent: Number(packets[1]),
      received: Number(packets[2]),
      ...(rtt ? { rtt: { min: Number(rtt[1]), avg: Number(rtt[2]), max: Number(rtt[3]) } } : {}),
    }
  })
}

function notMeasured(sources: readonly Endpoint[], all: readonly Endpoint[], why: string): Reach[] {
  return pairs(sources, all).map(({ from, to }) => ({ from, to, sent: 0, received: 0, notMeasured: why }))
}

function pairs(sources: readonly Endpoint[], all: readonly Endpoint[]): { from: Endpoint; to: Endpoint }[] {
  return sources.flatMap((from) => all.filter((to) => to.name !== from.name).map((to) => ({ from, to })))
}
