import { open } from 'node:fs/promises'
import type { Client, SFTPWrapper, Stats } from 'ssh2'

/** File transfer over one connection; errors carry the real plugin's words. */
export interface Sftp {
  /** `undefined`: there is nothing at that path. Links are followed. */
  stat(path: string): Promise<Stats | undefined>
  mkdir(path: string): Promise<void>
  /** Creates the file or empties the one that is there, and writes what `read` gives until it gives nothing. */
  write(path: string, read: (buffer: Buffer) => Promise<number>): Promise<void>
}

// What OpenSSH's server takes in one message, and how many messages travel at once: 2 MiB are under way.
const chunkSize = 32 * 1024
const chunksAtOnce = 64

const noSuchFile = 2
const reasons: Readonly<Record<number, string>> = {
  2: 'file does not exist',
  3: 'permission denied',
  4: 'sftp: "Failure" (SSH_FX_FAILURE)',
  7: 'connection lost',
  8: 'sftp: "Operation unsupported" (SSH_FX_OP_UNSUPPORTED)',
}

export async function openSftp(client: Client): Promise<Sftp> {
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
    const lost = () => reject(new Error('EOF'))
    client.once('close', lost)
    client.sftp((error, wrapper) => {
      client.off('close', lost)
      if (error === undefined) return resolve(wrapper)
      const refused = /^Unable to start subsystem/.test(error.message)
      reject(new Error(refused ? 'ssh: subsystem request failed' : error.message, { cause: error }))
    })
  })
  sftp.on('error', () => {})
  const ask = <T>(request: (done: (error: Error | null | undefined, value?: T) => void) => void) =>
    new Promise<T>((resolve, reject) => {
      const lost = () => reject(new Error('connection lost'))
      client.once('close', lost)
      request((error, value) => {
        client.off('close', lost)
        if (error)
          reject(Object.assign(new Error(wording(error)), { code: (error as { code?: number }).code }))
        else resolve(value as T)
      })
    })
  client.setMaxListeners(0)

  return {
    async stat(path) {
      try {
        return await ask<Stats>((done) => sftp.stat(path, done))
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === noSuchFile) return undefined
        throw error
      }
    },
    mkdir: (path) => ask<void>((done) => sftp.mkdir(path, done)),
    async write(path, read) {
      const handle = await ask<Buffer>((done) => sftp.open(path, 'w', done))
      try {
        const underWay = new Set<Promise<void>>()
        let failure: Error | undefined
        for (let position = 0; failure === undefined;) {
          const buffer = Buffer.allocUnsafe(chunkSize)
          const length = await read(buffer)
          if (length === 0) break
          const at = position
          const writing = ask<void>((done) => sftp.write(handle, buffer, 0, length, at, done))
            .catch((error: Error) => void (failure ??= error))
            .finally(() => underWay.delete(writing))
          underWay.add(writing)
          if (underWay.size >= chunksAtOnce) await Promise.race(underWay)
          position += length
        }
        await Promise.all(underWay)
        if (failure !== undefined) throw failure
      } finally {
        await ask<void>((done) => sftp.close(handle, done)).catch(() => {})
      }
    },
  }
}

function wording(error: Error): string {
  return reasons[(error as { code?: number }).code ?? -1] ?? error.message
}

/** Writes a local file to a remote path. */
export async function copyFile(sftp: Sftp, from: string, to: string): Promise<void> {
  const file = await open(from)
  try {
    await sftp.write(to, async (buffer) => (await file.read(buffer, 0, buffer.length)).bytesRead)
  } finally {
    await file.close()
  }
}

/** Writes a text to a remote path. */
export async function writeText(sftp: Sftp, text: string, to: string): Promise<void> {
  const content = Buffer.from(text)
  let position = 0
  await sftp.write(to, (buffer) => {
    const length = content.copy(buffer, 0, position)
    position += length
    return Promise.resolve(length)
  })
}
