/** Where a host is and how its identity is known. */
export interface Target {
  /** The inventory's name of the host; stands in every error. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  /** Path of the client's private key (OpenSSH's `IdentityFile`). */
  readonly identityFile: string
  /** The pinned host key as in authorized_keys: `ssh-ed25519 AAAA...`. Nothing else is accepted. */
  readonly hostKey: string
}
