/** Who reaches whom: real pings from every host and pod to every host and pod, measured where they are sent. */
import type { LabPlan } from '../overlay/plan.ts'
import { HostError } from '../remote/errors.ts'
import type { Session } from '../remote/session.ts'
import { pairs, type Endpoint, type Reach } from './pair.ts'
import { parseReach, reachScript, type PingOptions } from './ping-script.ts'
import { scriptOutput } from './script-output.ts'

export type { Endpoint, Reach } from './pair.ts'

export interface ReachOptions extends PingOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, of: number) => void
}

/** @throws HostError where the host can not be reached */
export type SessionOf = (host: string) => Promise<Pick<Session, 'target' | 'run'>>

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

/**
 * Every endpoint to every other one, in the order of `all`; one round trip a host. A host that cannot be asked
 * (`sessionOf` throws a HostError) yields `notMeasured`, not zeros.
 */
export async function measureReach(
  sessionOf: SessionOf,
  all: readonly Endpoint[],
  options: ReachOptions = {},
): Promise<Reach[]> {
  const hosts = [...new Set(all.map(({ host }) => host))]
  let done = 0
  const rows = await Promise.all(
    hosts.map(async (host) => {
      const sources = all.filter((endpoint) => endpoint.host === host)
      const measured = await sessionOf(host)
        .then((session) => fromHost(session, sources, all, options))
        .catch((error: unknown) => {
          if (!(error instanceof HostError)) throw error
          return notMeasured(sources, all, error.brief)
        })
      options.onProgress?.(++done, hosts.length)
      return measured
    }),
  )
  const order = new Map(all.map(({ name }, index) => [name, index]))
  return rows.flat().toSorted((a, b) => order.get(a.from.name)! - order.get(b.from.name)!)
}

async function fromHost(
  session: Pick<Session, 'target' | 'run'>,
  sources: readonly Endpoint[],
  all: readonly Endpoint[],
  options: ReachOptions,
): Promise<Reach[]> {
  const output = await scriptOutput(session, reachScript(sources, all, options), {
    step: 'ping',
    ...(options.signal ? { signal: options.signal } : {}),
  })
  return parseReach(output, sources, all)
}

function notMeasured(sources: readonly Endpoint[], all: readonly Endpoint[], why: string): Reach[] {
  return pairs(sources, all).map(({ from, to }) => ({ from, to, sent: 0, received: 0, notMeasured: why }))
}
