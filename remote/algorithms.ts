import type { Algorithms } from 'ssh2'
import { type HostKey, hostKeyAlgorithms } from './host-key.ts'

/**
 * The cheapest secure choice first, as measured with Node's native crypto; what follows is for other servers.
 * No compression: it costs more than a LAN saves.
 */
const fixed = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes256-ctr',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} satisfies Algorithms

/** What every SSH connection of overlab offers a server; `pinned` is the host key that it must show, where one is known. */
export function algorithms(pinned: HostKey | undefined): Algorithms {
  return { ...fixed, serverHostKey: hostKeyAlgorithms(pinned) as Algorithms['serverHostKey'] & string[] }
}
