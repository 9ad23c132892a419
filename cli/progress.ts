/** One line on a terminal's standard error that says what goes on and for how long; nothing where it is no terminal. */
export function progress(what: string): (state?: string) => void {
  if (!process.stderr.isTTY) return () => {}
  const start = Date.now()
  const clear = '\r\u001b[K'
  return (state) => {
    if (state === undefined) process.stderr.write(clear)
    else process.stderr.write(`${clear}${what}: ${state} (${((Date.now() - start) / 1000).toFixed(1)} s)`)
  }
}
