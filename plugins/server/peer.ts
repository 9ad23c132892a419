/** Whose socket is at the other end of a loopback connection? The kernel's tables of TCP sockets tell. Linux only. */
import { readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import { endianness } from 'node:os'

/** One end of a connection: an IPv4 address and a port. */
export interface End {
  readonly address: string
  readonly port: number
}

/** proc(5): IPv4 sockets, and IPv6 sockets, which may speak IPv4 too. */
const tables = ['/proc/net/tcp', '/proc/net/tcp6'] as const

/** tcp_states.h: TCP_ESTABLISHED. */
const established = '01'

/** The kernel hands out a table page by page; a row can be missed while sockets of the same bucket come and go. */
const readings = 3

/**
 * The user id that owns the socket `peer`, which is connected to `here`. Undefined where no such socket is found:
 * it is not on this computer, or its process has closed it.
 *
 * @throws Error where the tables cannot be read
 */
export async function ownerOf(peer: End, here: End): Promise<number | undefined> {
  for (let reading = 0; reading < readings; reading++) {
    for (const table of tables) {
      const owner = ownerIn(await readTable(table), peer, here)
      if (owner !== undefined) return owner
    }
  }
  return undefined
}

async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    // A kernel without IPv6 has no tcp6.
    if (path !== tables[0] && (error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/**
 * The owner by one table's text. A row counts only while a process holds the socket open (it has an inode) and it is
 * connected: the kernel shows a socket that was closed as root's, whoever it belonged to.
 */
export function ownerIn(table: string, peer: End, here: End): number | undefined {
  const ends = [peer, here].map(({ address, port }) => [
    hexAddress(address),
    port.toString(16).toUpperCase().padStart(4, '0'),
  ])
  const plain = ends.map(([address, port]) => `${address}:${port}`)
  const mapped = ends.map(([address, port]) => `${mappedPrefix}${address}:${port}`)
  for (const line of table.split('\n')) {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...
    const [, local, remote, state, , , , uid = '', , inode = '0'] = line.trim().split(/\s+/)
    const found = [plain, mapped].some(([from, to]) => local === from && remote === to)
    if (found && state === established && inode !== '0' && /^\d+$/.test(uid)) return Number(uid)
  }
  return undefined
}

/** An address as the tables write it: the 32 bit as one number of this processor's byte order. */
function hexAddress(address: string): string {
  if (!isIPv4(address)) throw new RangeError(`${address} is no IPv4 address`)
  const bytes = address.split('.').map((part) => Number(part).toString(16).toUpperCase().padStart(2, '0'))
  return (endianness() === 'LE' ? bytes.reverse() : bytes).join('')
}

/** ::ffff:0:0/96, in the same writing, before the IPv4 part. */
const mappedPrefix = `0000000000000000${endianness() === 'LE' ? 'FFFF0000' : '0000FFFF'}`
