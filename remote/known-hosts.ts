import { parseHostKey } from './host-key.ts'
import type { Target } from './target.ts'

/**
 * The name under which OpenSSH looks up a target's key (`HostKeyAlias`): of the host and not of its address, so
 * that two labs may use the same addresses.
 */
export function hostKeyAlias(target: Target): string {
  return `overlab-${target.name}`
}

/** One line a target for a known_hosts file: `overlab-node1 ssh-ed25519 AAAA...`. */
export function knownHosts(targets: Iterable<Target>): string {
  return Array.from(targets, (target) => {
    const { type, blob } = parseHostKey(target.hostKey)
    return `${hostKeyAlias(target)} ${type} ${blob.toString('base64')}\n`
  }).join('')
}
