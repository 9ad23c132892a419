/** A process of its own: it cancels a script that runs, and has nothing more to do. See session.test.ts. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSession } from '../../remote/session.ts'
import type { Target } from '../../remote/target.ts'

const { target, started } = JSON.parse(process.argv[2] ?? '{}') as { target: Target; started: string }
const session = await openSession(target, { lingerMs: 3_600_000 })
const interrupt = new AbortController()
// It prints to the end: output that arrives after the cancel is a second way to arm the timer.
const running = session.run(`touch ${started}; while :; do echo on; done`, { signal: interrupt.signal })
const outcome = running.then(
  () => 'not cancelled',
  (error: Error) => error.message,
)
while (!existsSync(started)) await sleep(20)
interrupt.abort()
console.log(await outcome)
await session.close()
