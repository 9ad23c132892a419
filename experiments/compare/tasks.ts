/** Work of which the rest of the time can be told. */
import { HostError } from '../../remote/errors.ts'

export interface Task {
  /** `TCP, 1 stream: vxlan` */
  readonly what: string
  /** About so many, on a computer with nothing else to do. */
  readonly seconds: number
  readonly run: () => Promise<void>
}

export interface Progress {
  readonly what: string
  readonly done: number
  readonly of: number
  /** Seconds that are left, as far as can be told. */
  readonly left: number
}

/** Before so many seconds of work, how slow this computer is says little. */
const firstImpression = 20

/** One after the other. @throws what a task throws; HostError after an interrupt */
export async function runTasks(
  tasks: readonly Task[],
  onProgress: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<void> {
  const start = performance.now()
  const whole = tasks.reduce((sum, { seconds }) => sum + seconds, 0)
  let done = 0
  for (const [index, { what, seconds, run }] of tasks.entries()) {
    const pace = done > firstImpression ? (performance.now() - start) / 1000 / done : 1
    onProgress({ what, done: index, of: tasks.length, left: (whole - done) * pace })
    if (signal?.aborted) throw new HostError({ host: 'this machine', step: what, why: 'was interrupted' })
    await run()
    done += seconds
  }
}

/** How many tasks are done when this share of the work is; never all. Pure. */
export function firstAfter(tasks: readonly Pick<Task, 'seconds'>[], share: number): number {
  const whole = tasks.reduce((sum, { seconds }) => sum + seconds, 0)
  let done = 0
  const found = tasks.findIndex(({ seconds }) => (done += seconds) >= whole * share)
  return Math.min(found + 1, tasks.length - 1)
}
