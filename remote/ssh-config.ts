import { hostKeyAlias } from './known-hosts.ts'
import type { Target } from './target.ts'

/**
 * A file for `ssh -F FILE node1`: a block a target, with its key pinned by the known_hosts file at
 * `knownHostsFile` (an absolute path) and nothing else trusted.
 *
 * @throws RangeError for a path that ssh_config cannot hold
 */
export function sshConfig(targets: Iterable<Target>, knownHostsFile: string): string {
  return Array.from(targets, (target) =>
    [
      `Host ${target.name}`,
      `  HostName ${target.host}`,
      `  Port ${target.port}`,
      `  User ${target.user}`,
      `  IdentityFile ${path(target.identityFile)}`,
      '  IdentitiesOnly yes',
      `  HostKeyAlias ${hostKeyAlias(target)}`,
      `  UserKnownHostsFile ${path(knownHostsFile)}`,
      '  GlobalKnownHostsFile /dev/null',
      '  StrictHostKeyChecking yes',
      '',
    ].join('\n'),
  ).join('\n')
}

/** ssh_config(5): double quotes around spaces, `%%` for `%`; nothing escapes a quote, a newline or `${`. */
function path(file: string): string {
  if (/["\n\r]|\$\{/.test(file)) {
    throw new RangeError(
      `${JSON.stringify(file)}: OpenSSH's configuration cannot hold this path; use another folder`,
    )
  }
  return `"${file.replaceAll('%', '%%')}"`
}
