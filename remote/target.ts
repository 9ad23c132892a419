import { z } from 'zod'

/** Where a host is and how its identity is known. */
export interface Target {
  /** The inventory's name of the host; stands in every error. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  /** Path of the client's private key (OpenSSH's `IdentityFile`), or the word `agent`: the keys of $SSH_AUTH_SOCK. */
  readonly identityFile: string
  /**
   * The pinned host key as in authorized_keys: `ssh-ed25519 AAAA...`. Nothing else is accepted. Empty where no key
   * is known: connecting then fails with the key that the host shows, and sends it nothing.
   */
  readonly hostKey: string
  /** Every script runs as root, through `sudo -n`. */
  readonly become?: boolean
  /** The way there: a host whose sshd forwards the connection (OpenSSH's `ProxyJump`). Hosts share one connection to it. */
  readonly jump?: Target
}

/** A Target as it is kept in a file. */
export const target: z.ZodType<Target> = z.object({
  name: z.string(),
  host: z.string(),
  port: z.int(),
  user: z.string(),
  identityFile: z.string(),
  hostKey: z.string(),
  become: z.boolean().exactOptional(),
  get jump() {
    return target.exactOptional()
  },
})
