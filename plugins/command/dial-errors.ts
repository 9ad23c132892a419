import { endpoint } from '../../remote/endpoint.ts'
import type { Hop } from './connection.ts'

/** The texts of Go's net package, so that an error reads as the real plugin's does. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ECONNRESET: 'connect: connection reset by peer',
  EACCES: 'connect: permission denied',
  ETIMEDOUT: 'i/o timeout',
}

interface SocketError {
  readonly code?: string
  readonly message?: string
  readonly address?: string
  readonly errors?: readonly SocketError[]
}

/** Why a TCP connection could not be made: `dial tcp 10.0.0.1:22: connect: connection refused`. */
export function dialError(hop: Hop, error: SocketError): Error {
  // A name with several addresses fails with one error for each.
  const first = error.errors?.[0] ?? error
  const code = first.code ?? ''
  if (code === 'ENOTFOUND') return new Error(`dial tcp: lookup ${hop.host}: no such host`)
  if (code === 'EAI_AGAIN') return new Error(`dial tcp: lookup ${hop.host}: server misbehaving`)
  const why = reasons[code] ?? first.message ?? code
  return new Error(`dial tcp ${endpoint(first.address ?? hop.host, hop.port)}: ${why}`)
}

/** Why SSH could not be spoken over a connection, or not as this user: `ssh: handshake failed: ...`. */
export function handshakeError(
  hop: Hop,
  error: (Error & { level?: string; code?: string }) | undefined,
  { denied, attempted }: { denied: boolean; attempted: readonly string[] },
): Error {
  return new Error(`ssh: handshake failed: ${reason()}`)

  function reason(): string {
    if (denied) return 'ssh: host key mismatch'
    if (error === undefined) return 'EOF'
    if (error.level === 'client-authentication') {
      const methods = [...new Set(attempted)].join(' ')
      return `ssh: unable to authenticate, attempted methods [${methods}], no supported methods remain`
    }
    if (error.level === 'client-timeout') return 'i/o timeout'
    if (error.code === 'ECONNRESET') {
      return `read tcp ${endpoint(hop.host, hop.port)}: read: connection reset by peer`
    }
    if (/connection lost|ended|closed/i.test(error.message)) return 'EOF'
    return `ssh: ${error.message}`
  }
}

/** A password goes to no host that has not proved who it is. Another attempt does not change that. */
export class UnverifiedHost extends Error {
  /** @param shown the key that the host has shown, `ssh-ed25519 AAAA...`; empty where none was seen */
  constructor(hop: Hop, shown: string) {
    super(
      `the password for ${hop.user}@${endpoint(hop.host, hop.port)} was not sent, since the connection has no hostKey and so ` +
        `nobody knows who would get it. ${pinning(shown)}`,
    )
    this.name = 'UnverifiedHost'
  }
}

/** Whoever answers at the address gets the commands: the real plugin accepts that in silence. */
export function unverifiedWarning(hop: Hop, shown: string): string {
  return `the host key of ${endpoint(hop.host, hop.port)} was not verified, since the connection has no hostKey. ${pinning(shown)}`
}

function pinning(shown: string): string {
  return (
    'Compare this with what the host itself says (`cat /etc/ssh/ssh_host_*_key.pub` on its console), then write it into the ' +
    `connection:\n  hostKey: ${shown}`
  )
}
