/** OpenSSH's known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), read. Pure. */
import { createHmac } from 'node:crypto'
import { parseHostKey } from './host-key.ts'

export interface KnownKeys {
  /** `ssh-ed25519 AAAA...`, those that overlab can check, in the order of the file. */
  readonly keys: readonly string[]
  /** Keys that must never be accepted. */
  readonly revoked: readonly string[]
  /** The file has a certificate authority for the host, and overlab checks no certificates. */
  readonly hasAuthority: boolean
}

/** What a known_hosts file says of `host` at `port`; hashed names too. Lines that it cannot read are left out, as OpenSSH does. */
export function keysOf(text: string, host: string, port: number): KnownKeys {
  const name = (port === 22 ? host : `[${host}]:${port}`).toLowerCase()
  const found = { keys: [] as string[], revoked: [] as string[], hasAuthority: false }
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/)
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined
    const [names = '', type = '', blob = ''] = words
    if (names === '' || names.startsWith('#') || !covers(names, name)) continue
    if (marker === '@cert-authority') found.hasAuthority = true
    else if (marker === '@revoked') found.revoked.push(`${type} ${blob}`)
    else if (marker === undefined && isUsable(`${type} ${blob}`)) found.keys.push(`${type} ${blob}`)
  }
  return found
}

/** The kinds of keys, the cheapest to check first. */
const preference = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
]

/** The one to pin, of several that a host has. */
export function bestOf(known: KnownKeys): string | undefined {
  return known.keys
    .filter((key) => !isRevoked(known, key))
    .toSorted((a, b) => preference.indexOf(a.split(' ')[0]!) - preference.indexOf(b.split(' ')[0]!))[0]
}

/** Whether the file says of this key, `ssh-ed25519 AAAA... [comment]`, that it must not be accepted. The bytes decide. */
export function isRevoked({ revoked }: KnownKeys, key: string): boolean {
  const bytes = bytesOf(key)
  return revoked.some((other) => bytesOf(other).equals(bytes))
}

/** The key itself: its first word is a name only, and one key has several writings in base64. */
function bytesOf(key: string): Buffer {
  return Buffer.from(key.trim().split(/\s+/)[1] ?? '', 'base64')
}

function isUsable(key: string): boolean {
  try {
    return parseHostKey(key) !== undefined
  } catch {
    return false
  }
}

function covers(names: string, name: string): boolean {
  if (names.startsWith('|1|')) {
    const [, , salt = '', hash = ''] = names.split('|')
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
  }
  const patterns = names.toLowerCase().split(',')
  const matches = (pattern: string) => glob(pattern).test(name)
  return (
    patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern)) &&
    !patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))
  )
}

/** ssh_config(5), PATTERNS: `*` and `?`, and nothing else is special. */
function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`)
}
