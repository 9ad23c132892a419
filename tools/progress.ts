/** Shows a task as it runs: one live line on a terminal, plain lines now and then elsewhere (logs, CI). */
import { oneLine } from './one-line.ts'
import type { Task } from './work.ts'

/** Between plain lines, in ms: often enough to see life, seldom enough to keep a log readable. */
const plainInterval = 15_000

export async function show(task: Task, out: NodeJS.WriteStream = process.stdout): Promise<void> {
  if (task.interactive) return task.run(() => undefined)
  const began = performance.now()
  const elapsed = () => `${Math.round((performance.now() - began) / 1000)} s`
  let detail = ''
  const live = () => {
    const line = `  ${task.title} ${elapsed()}${detail && `  ${detail}`}`
    out.write(`\r\x1b[K${oneLine(line, (out.columns || 80) - 1)}`)
  }
  const plain = () => out.write(`    ${elapsed()}${detail && `  ${detail}`}\n`)
  if (!out.isTTY) out.write(`  ${task.title} ...\n`)
  const timer = setInterval(out.isTTY ? live : plain, out.isTTY ? 250 : plainInterval)
  let outcome = 'failed'
  try {
    await task.run((text) => (detail = text))
    outcome = 'done'
  } finally {
    clearInterval(timer)
    out.write(`${out.isTTY ? '\r\x1b[K' : ''}  ${task.title}: ${outcome} (${elapsed()})\n`)
  }
}
