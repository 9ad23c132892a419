/** The two ends of a traced packet. */
import { contains, toBlock, toNumber } from '../../inventory/ipv4.ts'
import type { Ip, Name } from '../../inventory/values.ts'
import { ip } from '../../inventory/values.ts'
import type { LabPlan, PlannedHost } from '../../overlay/plan.ts'

/** A pod (or an address that one could have), a host by its underlay address, or an address outside of the lab. */
export interface End {
  readonly kind: 'pod' | 'host' | 'outside'
  readonly name: string
  readonly address: Ip
  /** The host it is, or is on; none for an address outside. */
  readonly host?: Name
}

/** Undefined for a word that is neither a pod, a host, an address of one, nor an IPv4 address. */
export function endOf(plan: LabPlan, word: string): End | undefined {
  const hosts = Object.values(plan.hosts)
  const all = hosts.flatMap(endsOf)
  const found = all.find((end) => end.name === word || end.address === word)
  if (found) return found
  const address = ip.safeParse(word)
  if (!address.success) return undefined
  // An address that a pod could have, whether one has it or not, is its host's affair.
  const host = hosts.find(({ subnet }) => contains(toBlock(subnet), toNumber(address.data)))
  return host
    ? { kind: 'pod', name: word, address: address.data, host: host.name }
    : { kind: 'outside', name: word, address: address.data }
}

/** What an end can be called, hosts first. */
export function endNames(plan: LabPlan): string[] {
  const hosts = Object.values(plan.hosts)
  return [...hosts.map(({ name }) => name), ...hosts.flatMap(({ pods }) => pods.map(({ name }) => name))]
}

function endsOf({ name, address, pods }: PlannedHost): End[] {
  return [
    { kind: 'host', name, address, host: name },
    ...pods.map((pod): End => ({ kind: 'pod', name: pod.name, address: pod.address, host: name })),
  ]
}
