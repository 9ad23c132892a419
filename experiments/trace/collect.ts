/** The only part of a trace that meets hosts: three round trips where the packet starts, two elsewhere, and one to compare with the plan. */
import { randomBytes } from 'node:crypto'
import { diffState, probe } from '../../modules/apply.ts'
import { pushedOf, type LabPlan, type PlannedHost } from '../../overlay/plan.ts'
import { HostError } from '../../remote/errors.ts'
import type { Session } from '../../remote/session.ts'
import { scriptOutput } from '../script-output.ts'
import type { End } from './endpoint.ts'
import { lookupsOf } from './lookups.ts'
import type { TunnelPorts } from './packet.ts'
import { beginScript, endScript, oneByte, readScript, sendScript, type HostScript } from './script.ts'
import { parseView, type HostView } from './view.ts'

export interface Observed {
  /** By the host's name; the hosts that the packet could meet. */
  readonly views: Readonly<Record<string, HostView>>
  /** Hosts that could not be asked, and why. */
  readonly failures: Readonly<Record<string, string>>
  readonly sent: Sent
}

export interface Sent {
  /** 8 bytes in hex that the payload repeats. */
  readonly pattern: string
  readonly answered: boolean
  /** Round-trip time in ms, where it was answered. */
  readonly rtt?: number
  /** What ping said of it, where it was not: `Destination Host Unreachable`. */
  readonly said?: string
}

/** How a host of the lab is reached. @throws HostError */
export type SessionOf = (host: string) => Promise<Pick<Session, 'target' | 'run'>>

export interface ObserveOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (state: string) => void
}

/**
 * Sends one packet and reads what decided its way. Captures are ended whatever happens: by their pids, and where
 * their host cannot be reached any more, by themselves after some seconds.
 *
 * @throws HostError where the host that the packet starts on cannot be asked, or the caller gave up
 */
export async function observe(
  sessionOf: SessionOf,
  plan: LabPlan,
  from: End,
  to: End,
  { signal, onProgress = () => {} }: ObserveOptions = {},
): Promise<Observed> {
  const id = randomBytes(6).toString('hex')
  const pattern = randomBytes(8).toString('hex')
  const hosts = [...new Set([from.host, to.host])].flatMap((name) => (name ? [plan.hosts[name]!] : []))
  const scripts = new Map(hosts.map((host) => [host.name as string, scriptOf(id, plan, host, from, to)]))
  const failures: Record<string, string> = {}
  const stop = signal ? { signal } : {}

  /** On every host that has not failed yet; the first host's failure is everybody's. */
  const each = async <T>(act: (host: PlannedHost) => Promise<T>): Promise<Map<string, T>> => {
    const results = new Map<string, T>()
    await Promise.all(
      hosts
        .filter(({ name }) => !(name in failures))
        .map(async (host) => {
          try {
            results.set(host.name, await act(host))
          } catch (error) {
            if (!(error instanceof HostError) || host.name === from.host || signal?.aborted) throw error
            failures[host.name] = `${error.step}: ${error.why}`
          }
        }),
    )
    return results
  }
  const run = async (host: string, step: string, script: string): Promise<string> =>
    scriptOutput(await sessionOf(host), script, { step, timeoutMs: 30_000, ...stop })

  let open = true
  try {
    onProgress('captures begin')
    const begun = await each(({ name }) => run(name, 'begin captures', beginScript(scripts.get(name)!)))
    onProgress('one packet')
    const pod = from.kind === 'pod' ? { pod: from.name } : {}
    const sent = sentOf(await run(from.host!, 'send', sendScript(pod, to.address, pattern)), pattern)
    onProgress('reading')
    const read = await each(({ name }) => run(name, 'read', readScript(scripts.get(name)!)))
    open = false
    const drift = await each(async (host) => {
      const session = await sessionOf(host.name)
      const hostPlan = {
        desired: host.state,
        prior: {},
        facts: { nic: host.nic, iptables: host.iptables },
      }
      return diffState(await probe(session, hostPlan, stop), host.state)
    })
    const views: Record<string, HostView> = {}
    for (const [name, output] of read)
      views[name] = parseView(
        scripts.get(name)!,
        begun.get(name)!,
        output,
        sent.pattern,
        pushedOf(plan.hosts[name]!),
        drift.get(name) ?? [],
        plan.hosts[name]!.lent,
      )
    return { views, failures, sent }
  } finally {
    if (open) await Promise.allSettled(hosts.map(({ name }) => endCaptures(sessionOf, name, id)))
  }
}

/** Without the caller's signal, which may be why it is called. */
async function endCaptures(sessionOf: SessionOf, host: string, id: string): Promise<void> {
  const session = await sessionOf(host)
  await session.run(endScript({ id }), { step: 'end captures', timeoutMs: 10_000 })
}

function scriptOf(id: string, plan: LabPlan, host: PlannedHost, from: End, to: End): HostScript {
  return {
    id,
    nic: host.nic,
    ports: portsOf(plan),
    iptables: host.iptables,
    pods: [from, to].filter((end) => end.kind === 'pod' && end.host === host.name).map(({ name }) => name),
    lookups: lookupsOf(plan, host, from, to),
  }
}

export function portsOf({ lab }: LabPlan): TunnelPorts {
  const backend = lab.overlay.Backend
  if (backend.Type === 'vxlan') return { vxlan: backend.Port }
  return backend.Type === 'udp' ? { udp: backend.Port } : {}
}

/** Pure. ping's own words about its one packet, and the pattern that it took: BusyBox's knows only a byte. */
export function sentOf(output: string, wanted: string): Sent {
  const byte = new RegExp(`^${oneByte} ([0-9a-f]{2})$`, 'm').exec(output)?.[1]
  const pattern = byte === undefined ? wanted : byte.repeat(8)
  const answer = /^\d+ bytes from .*time=([\d.]+) ms/m.exec(output)
  if (answer) return { pattern, answered: true, rtt: Number(answer[1]) }
  const said = /^From (\S+).* icmp_seq=\d+ (.+)$/m.exec(output)
  const error = /^ping: (.+)$/m.exec(output)
  const words = said ? `${said[2]} (said by ${said[1]})` : error?.[1]
  return { pattern, answered: false, ...(words ? { said: words } : {}) }
}
