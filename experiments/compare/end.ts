/** Between whom is measured: two pods of two hosts, or the hosts themselves, and how a command gets there. */
import type { Ip, Name } from '../../inventory/values.ts'
import type { LabPlan } from '../../overlay/plan.ts'
import type { ScratchLab } from '../variants/scratch.ts'

export interface End {
  readonly host: Name
  /** None: the host's own underlay address. */
  readonly pod?: Name
  readonly address: Ip
}

/** One of the compared: a variant by its lab's pods, or the bare underlay by the hosts of a lab. */
export interface Subject {
  readonly lab: ScratchLab
  readonly from: End
  readonly to: End
}

/** What stands before a command so that it runs at an end. */
export function inside({ pod }: Pick<End, 'pod'>): string {
  return pod ? `ip netns exec ${pod} ` : ''
}

/** The hosts that have a pod, each by its first one. */
export function podEnds(plan: Pick<LabPlan, 'hosts'>): End[] {
  return Object.values(plan.hosts).flatMap(({ name, pods: [pod] }) =>
    pod ? [{ host: name, pod: pod.name, address: pod.address }] : [],
  )
}

export function hostEnd(plan: Pick<LabPlan, 'hosts'>, host: Name): End {
  return { host, address: plan.hosts[host]!.address }
}
