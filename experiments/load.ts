/**
 * A load on a lab while something happens to it: pings at 100 a second for each ordered pair of hosts, from pod to
 * pod, and what each pair lost. They run on the hosts by themselves: no connection has to live meanwhile.
 */
import { randomBytes } from 'node:crypto'
import type { LabPlan } from '../overlay/plan.ts'
import { HostError } from '../remote/errors.ts'
import { endScript, parseLoad, readScript, startScript, type Measured, type Stream } from './load-script.ts'
import type { SessionOf } from './reach.ts'
import { scriptOutput } from './script-output.ts'

export type { Loss, Measured, Stream } from './load-script.ts'

/** What became of a stream; `notMeasured` where its sender was rebooted or does not answer. */
export type StreamLoss = Measured & {
  /** `node1-pod1 -> node2-pod1` */
  readonly pair: string
  readonly from: string
  readonly to: string
}

export interface Load {
  /** What every stream has lost so far; the load goes on. */
  look(): Promise<StreamLoss[]>
  /** Ends the load; what every stream lost. Works after an abort of the signal too. */
  stop(): Promise<StreamLoss[]>
}

export interface LoadOptions {
  /** The load ends by itself after so long, in seconds, if nobody ends it. Default 300. */
  readonly bound?: number
  readonly signal?: AbortSignal
}

/** The first pod of every host to that of every other one, in the plan's order. */
export function podStreams(plan: Pick<LabPlan, 'hosts'>): Stream[] {
  const pods = Object.values(plan.hosts).flatMap(({ name, pods: [pod] }) =>
    pod ? [{ name: pod.name, address: pod.address, host: name, kind: 'pod' as const }] : [],
  )
  return pods.flatMap((from) => pods.filter((to) => to.host !== from.host).map((to) => ({ from, to })))
}

/** How long a host may take to tell what it measured, in ms. One whose NIC is down never does. */
const patienceMs = 10_000

/**
 * Starts the load, and returns when its packets flow. A host that cannot be asked yields `notMeasured` for its streams.
 * @throws HostError where the signal is aborted meanwhile
 */
export async function startLoad(
  sessionOf: SessionOf,
  streams: readonly Stream[],
  { bound = 300, signal }: LoadOptions = {},
): Promise<Load> {
  const id = randomBytes(6).toString('hex')
  const idOn = (host: string) => `${id}-${host}`
  const hosts = [...new Set(streams.map(({ from }) => from.host))]
  const ofHost = (host: string) => streams.filter(({ from }) => from.host === host)
  const run = async (host: string, script: string, step: string, stoppable: boolean): Promise<string> => {
    const options = { step, timeoutMs: patienceMs, ...(stoppable && signal ? { signal } : {}) }
    return scriptOutput(await sessionOf(host), script, options)
  }
  /** By host: why it has no load. */
  const failed = new Map<string, string>()
  const collect = async (
    script: (id: string) => string,
    step: string,
    stoppable: boolean,
  ): Promise<StreamLoss[]> => {
    const ofHosts = await Promise.all(
      hosts.map(async (host) => {
        const own = ofHost(host)
        const measured = failed.has(host)
          ? own.map(() => ({ notMeasured: failed.get(host)! }))
          : await run(host, script(idOn(host)), step, stoppable).then(
              (output) => parseLoad(output, own),
              (error: unknown) =>
                own.map(() => ({ notMeasured: whyNot(error, stoppable ? signal : undefined) })),
            )
        return own.map(({ from, to }, index) => ({
          pair: `${from.name} -> ${to.name}`,
          from: from.name,
          to: to.name,
          ...measured[index]!,
        }))
      }),
    )
    return ofHosts.flat()
  }
  const load: Load = {
    look: () => collect(readScript, 'read the pings', true),
    stop: () => collect(endScript, 'end the pings', false),
  }
  const started = await Promise.allSettled(
    hosts.map((host) =>
      run(host, startScript(idOn(host), ofHost(host), bound), 'start the pings', true).catch(
        (error: unknown) => {
          failed.set(host, whyNot(error, signal))
        },
      ),
    ),
  )
  const failure = started.find(({ status }) => status === 'rejected')
  if (failure) {
    await load.stop()
    throw (failure as PromiseRejectedResult).reason
  }
  return load
}

/** Does something under load, and ends the load whatever comes of it. */
export async function underLoad<Result>(
  sessionOf: SessionOf,
  streams: readonly Stream[],
  action: (load: Load) => Promise<Result>,
  options: LoadOptions = {},
): Promise<{ readonly result: Result; readonly losses: readonly StreamLoss[] }> {
  const load = await startLoad(sessionOf, streams, options)
  let losses: readonly StreamLoss[] = []
  const result = await action(load).finally(async () => {
    losses = await load.stop()
  })
  return { result, losses }
}

/** A host that does not answer is no measurement; anything else, and a user who presses Ctrl-C, ends all. */
function whyNot(error: unknown, signal?: AbortSignal): string {
  if (!(error instanceof HostError) || signal?.aborted) throw error
  return error.brief
}
