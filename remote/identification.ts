import type { Duplex } from 'node:stream'

/** RFC 4253 4.2: at most 255 bytes a line; servers may send other lines first. */
const mostBytes = 16 * 1024

/**
 * Waits until the server's whole identification line (`SSH-2.0-OpenSSH_9.2`) is there, and puts it back to be
 * read: ssh2 1.17 misreads a line that comes in several packets.
 *
 * @throws the socket's error, or one of the `level` that ssh2 gives to the same failure
 */
export function identification(socket: Duplex, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (error?: Error) => {
      clearTimeout(timer)
      socket.off('data', read).off('end', cut).off('close', cut).off('error', end)
      if (error) return reject(error)
      socket.pause()
      socket.unshift(Buffer.concat(chunks))
      resolve()
    }
    const read = (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      // What is too long is for ssh2 to refuse.
      if (size > mostBytes || /(^|\n)SSH-[^\n]*\n/.test(Buffer.concat(chunks).toString('latin1'))) end()
    }
    const fail = (level: string, message: string) => end(Object.assign(new Error(message), { level }))
    const cut = () => fail('protocol', 'Connection lost before handshake')
    const timer = setTimeout(() => fail('client-timeout', 'Timed out while waiting for handshake'), timeoutMs)
    socket.on('data', read).on('end', cut).on('close', cut).on('error', end)
  })
}
