import { harmless } from '../inventory/harmless.ts'
import { oneLine } from '../tools/one-line.ts'

/**
 * One line on a terminal's standard error that says what goes on and for how long, drawn anew every second until it is
 * called without a state; nothing where it is no terminal, or the user wants quiet.
 */
export function progress(what: string, { quiet }: { readonly quiet?: true } = {}): (state?: string) => void {
  if (quiet || !process.stderr.isTTY) return () => {}
  const start = Date.now()
  const clear = '\r\u001b[K'
  let clock: NodeJS.Timeout | undefined
  return (state) => {
    clearInterval(clock)
    if (state === undefined) return void process.stderr.write(clear)
    const draw = () => {
      const time = ` (${((Date.now() - start) / 1000).toFixed(1)} s)`
      // What wraps could not be cleared again.
      const room = Math.max(1, (process.stderr.columns || 80) - time.length - 1)
      process.stderr.write(`${clear}${oneLine(harmless(`${what}: ${state}`), room)}${time}`)
    }
    draw()
    // Nobody waits for it alone.
    clock = setInterval(draw, 1000).unref()
  }
}
