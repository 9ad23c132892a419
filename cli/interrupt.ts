/** Ctrl-C while hosts are at work: they are told to stop, and the process ends when they have. */

let controller: AbortController | undefined

/** From the first call on, SIGINT and SIGTERM abort the signal instead of ending the process; a second one ends it. */
export function interrupt(): AbortSignal {
  if (!controller) {
    const made = (controller = new AbortController())
    const abort = () => made.abort()
    process.once('SIGINT', abort)
    process.once('SIGTERM', abort)
  }
  return controller.signal
}

export function wasInterrupted(): boolean {
  return controller?.signal.aborted ?? false
}
