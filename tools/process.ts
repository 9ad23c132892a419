/** Processes of this computer, as /proc shows them. */
import { readFileSync } from 'node:fs'

export interface Process {
  readonly pid: number
  /** What the kernel calls it: the program's name, 15 characters at most. Empty where it may not be seen. */
  readonly name: string
  /** When it was started, in clock ticks since the boot: with the pid this names one process for good. */
  readonly ticks: string
  /** Its command line; empty where it may not be seen. */
  readonly words: readonly string[]
}

/**
 * A process that runs. Undefined where there is none, and for a zombie: that has ended, and its parent has not asked
 * for its status yet (a killed process is one for a moment, under some init for ever).
 */
export function livingProcess(pid: number): Process | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  const stat = readText(`/proc/${pid}/stat`)
  if (stat === '') return isThere(pid) ? { pid, name: '', ticks: '', words: [] } : undefined
  // proc(5): the name, field 2, may hold anything and ends with the last parenthesis; state is field 3, start field 22.
  const end = stat.lastIndexOf(')')
  const fields = stat.slice(end + 2).split(' ')
  const [state, ticks] = [fields[0], fields[19]]
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined
  const words = readText(`/proc/${pid}/cmdline`).split('\0').slice(0, -1)
  return { pid, name: stat.slice(stat.indexOf('(') + 1, end), ticks, words }
}

/** proc(5): the unit of a start time; USER_HZ is 100 on every Linux that Node runs on. */
const ticksASecond = 100

/** When a process was started. Undefined where it may not be seen. */
export function startOf({ ticks }: Process): Date | undefined {
  const boot = /^btime (\d+)$/m.exec(readText('/proc/stat'))?.[1]
  if (boot === undefined || ticks === '') return undefined
  return new Date((Number(boot) + Number(ticks) / ticksASecond) * 1000)
}

/** Where /proc hides other users' processes, a signal still tells. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
