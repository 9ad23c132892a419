import type { Client } from 'ssh2'

/** An authenticated connection whose 'error' events have a listener for good. */
export interface Connection {
  readonly client: Client
  /** The connection's end: undefined while it lives; then why it ended, as far as known. */
  ended(): { readonly cause?: Error } | undefined
  /** Called once at the end, or at once if that has been. Returns how to take it back. */
  onEnd(listener: (cause?: Error) => void): () => void
  close(): Promise<void>
}

/** Follows an authenticated client. `destroy` ends its socket at once; `lastError` is what was last reported of it. */
export function watch(client: Client, destroy: () => void, lastError: () => Error | undefined): Connection {
  const listeners = new Set<(cause?: Error) => void>()
  let end: { cause?: Error } | undefined
  const onEnd = (cause = lastError()) => {
    if (end) return
    end = cause ? { cause } : {}
    for (const listener of listeners) listener(cause)
    listeners.clear()
  }
  // A half-open connection is of no use: the first FIN ends it.
  client.on('end', () => {
    onEnd()
    destroy()
  })
  client.on('close', () => onEnd())
  client.on('error', () => {
    onEnd()
    destroy()
  })
  return {
    client,
    ended: () => end,
    onEnd(listener) {
      if (end) listener(end.cause)
      else listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () =>
      new Promise((resolve) => {
        if (end) return resolve()
        onEnd(new Error('closed on this side'))
        // A host that is gone never answers the goodbye.
        const impatience = setTimeout(destroy, 1_000)
        client.once('close', () => {
          clearTimeout(impatience)
          resolve()
        })
        client.end()
      }),
  }
}
