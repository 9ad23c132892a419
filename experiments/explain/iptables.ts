/** The host's own iptables tool, as the inventory chooses it. */
import type { PlannedHost } from '../../overlay/plan.ts'

export function iptablesOf({ iptables }: Pick<PlannedHost, 'iptables'>): string {
  return iptables === 'auto' ? 'iptables' : `iptables-${iptables}`
}

/** `save` or `restore`. */
export function iptablesTool(host: Pick<PlannedHost, 'iptables'>, what: 'save' | 'restore'): string {
  return `${iptablesOf(host)}-${what}`
}
