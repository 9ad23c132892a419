import { createHash, timingSafeEqual } from 'node:crypto'

/** A host's public key: its type as SSH names it and its blob as it travels in the key exchange. */
export interface HostKey {
  readonly type: string
  readonly blob: Buffer
}

/** Signature algorithms a key of this type can prove itself with, the wanted ones first. */
const signatures: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
}

/**
 * Reads `ssh-ed25519 AAAA... [comment]`, the form of authorized_keys and of `*.pub` files.
 *
 * @throws RangeError that says what is wrong with the text; its words follow "the pinned host key".
 */
export function parseHostKey(text: string): HostKey {
  const [type = '', base64 = ''] = text.trim().split(/\s+/)
  if (!Object.hasOwn(signatures, type)) {
    throw new RangeError(`is of type "${type}"; supported are ${Object.keys(signatures).join(', ')}`)
  }
  const blob = Buffer.from(base64, 'base64')
  // RFC 4253 6.6: the blob starts with the length (32 bit) and the name of its own type.
  const named = blob.length > 4 ? blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1') : ''
  if (named !== type) throw new RangeError(`is not a whole ${type} key; expected "${type} AAAA..."`)
  return { type, blob }
}

/** `SHA256:...` as OpenSSH prints it (`ssh-keygen -l`). */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/** A key as it came over the wire, in the form of authorized_keys: `ssh-ed25519 AAAA...`. */
export function keyText(blob: Buffer): string {
  return `${blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1')} ${blob.toString('base64')}`
}

/** True for the very same key; takes the same time wherever the two differ. */
export function sameKey(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

/**
 * What to offer the server as host key algorithms. The pinned type comes first, so that a host with several
 * keys shows that one; the others follow only so that a wrong host can be told by its fingerprint.
 */
export function hostKeyAlgorithms(pinned: HostKey | undefined): string[] {
  const wanted = signatures[pinned?.type ?? ''] ?? []
  return [
    ...wanted,
    ...Object.values(signatures)
      .flat()
      .filter((name) => !wanted.includes(name)),
  ]
}
