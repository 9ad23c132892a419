/** A lab that is asked: the running one, or one that was made for a question. */
import type { LabPlan, PlannedHost } from '../../overlay/plan.ts'
import type { Session } from '../../remote/session.ts'
import type { Control } from '../variants/variant.ts'
import type { End } from '../trace/endpoint.ts'
import { CannotMeasure } from './measured.ts'

export interface Site {
  /** The variant's: `vxlan`, `vxlan-flanneld`; what headings and claims call it. */
  readonly name: string
  readonly plan: LabPlan
  /** @throws HostError where the host cannot be reached */
  readonly session: (host: string) => Promise<Session>
  readonly signal: AbortSignal
}

/** A pod and the host that it is on. */
export interface Place {
  readonly pod: End
  readonly host: PlannedHost
}

/** Pods on different hosts: from the first to the second, and one on a third that nothing is done to. */
export interface Places {
  readonly near: Place
  readonly far: Place
  /** Undefined where only two hosts have pods. */
  readonly other?: Place
}

/** @throws CannotMeasure where there are no two hosts with pods */
export function placesOf({ plan }: Site): Places {
  const [near, far, other] = Object.values(plan.hosts).flatMap((host): Place[] => {
    const [first] = host.pods
    if (!first) return []
    return [{ host, pod: { kind: 'pod', name: first.name, address: first.address, host: host.name } }]
  })
  if (!near || !far) throw new CannotMeasure('the lab has no two hosts with pods')
  return { near, far, ...(other ? { other } : {}) }
}

export function hostsOf({ plan }: Pick<Site, 'plan'>): PlannedHost[] {
  return Object.values(plan.hosts)
}

export function backendOf({ plan }: Site): 'vxlan' | 'host-gw' | 'udp' {
  return plan.lab.overlay.Backend.Type
}

/** flanneld where any host is its; a mixed lab has daemons too. */
export function controlOf(site: Pick<Site, 'plan'>): Control {
  return hostsOf(site).some(({ control }) => control === 'flanneld') ? 'flanneld' : 'static'
}

/** The host of a host's or a pod's name. @throws CannotMeasure for a name of neither */
export function hostOf(site: Site, where: string): PlannedHost {
  const found = hostsOf(site).find(
    ({ name, pods }) => name === where || pods.some((pod) => pod.name === where),
  )
  if (!found) throw new CannotMeasure(`there is no host and no pod ${where}`)
  return found
}

/**
 * After Ctrl-C no new session is to be had, and what was taken away must be put back: then the one that was there
 * before is given again.
 */
export function lastingSessions(session: Site['session'], signal: AbortSignal): Site['session'] {
  const known = new Map<string, Session>()
  return async (host) => {
    const before = known.get(host)
    if (before && signal.aborted) return before
    const now = await session(host)
    known.set(host, now)
    return now
  }
}
