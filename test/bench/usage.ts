/** What a process uses, as /proc has it. Pure. */

export interface Usage {
  /** Resident memory, and the most so far, in bytes. */
  readonly memory: number
  readonly peak: number
  /** Seconds. */
  readonly cpu: number
}

/** Ticks of /proc are a hundredth of a second on every Linux (USER_HZ). */
const ticks = 100

/** From /proc/PID/status and /proc/PID/stat. */
export function usageOf(status: string, stat: string): Usage {
  const bytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
  // The command stands in brackets and may hold anything; utime and stime are fields 14 and 15, state is field 3.
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
  return {
    memory: bytes('VmRSS'),
    peak: bytes('VmHWM'),
    cpu: (Number(fields[11]) + Number(fields[12])) / ticks,
  }
}
