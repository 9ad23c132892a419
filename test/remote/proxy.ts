import { createServer, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a network can do to a connection, at the test's word. */
export interface Proxy {
  readonly port: number
  /** Connections accepted so far, turned-away ones included. */
  accepted(): number
  /** Every open connection: the client sees RST. */
  reset(): void
  /** Every open connection: the client sees FIN. */
  fin(): void
  /** Nothing passes any more on the connections that are open now. */
  hang(): void
  close(): Promise<void>
}

export interface ProxyOptions {
  /** The first so many connections are closed at once: FIN before a byte, or RST. */
  readonly turnAway?: number
  readonly turnAwayBy?: 'fin' | 'reset'
  /** Server to client in packets of so many bytes. */
  readonly split?: number
  /** Each packet of the server comes so many ms later. */
  readonly delayMs?: number
}

export async function startProxy(to: number, options: ProxyOptions = {}): Promise<Proxy> {
  const { turnAway = 0, turnAwayBy = 'fin', split, delayMs = 0 } = options
  let accepted = 0
  const pairs = new Set<{ near: Socket; far: Socket; stop: () => void }>()
  const server = createServer({ noDelay: true }, (near) => {
    accepted++
    near.on('error', () => {})
    if (accepted <= turnAway) {
      if (turnAwayBy === 'reset') near.resetAndDestroy()
      else near.resume().end()
      return
    }
    const far = connect({ port: to, host: '127.0.0.1', noDelay: true })
    let hung = false
    let chain = Promise.resolve()
    const pair = { near, far, stop: () => (hung = true) }
    pairs.add(pair)
    far.on('error', () => near.destroy())
    near.on('data', (data) => hung || far.write(data))
    far.on('data', (data) => {
      if (hung) return
      if (!split && !delayMs) return near.write(data)
      chain = chain.then(async () => {
        if (delayMs) await sleep(delayMs)
        for (let at = 0; at < data.length; at += split ?? data.length) {
          near.write(data.subarray(at, at + (split ?? data.length)))
          await new Promise(setImmediate)
        }
      })
    })
    near.on('close', () => (pairs.delete(pair), far.destroy()))
    far.on('close', () => {
      if (!hung) void chain.then(() => near.end())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    accepted: () => accepted,
    reset: () => pairs.forEach(({ near }) => near.resetAndDestroy()),
    fin: () => pairs.forEach(({ near }) => near.end()),
    hang: () => pairs.forEach(({ stop }) => stop()),
    close: () => {
      for (const { near, far } of pairs) {
        near.destroy()
        far.destroy()
      }
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
