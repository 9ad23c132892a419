/** Whether a machine's pid 1 lives. */
import { readFile } from 'node:fs/promises'

/**
 * A pid alone could have been given to another process since; a pid and its start time (field 22 of
 * /proc/PID/stat) can't.
 * @param line `PID STARTTIME`, as the machine's pid 1 wrote it.
 */
export async function livingPid(line: string): Promise<number | undefined> {
  const [pid, started] = line.trim().split(' ')
  if (!pid || !started) return undefined
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The command's name stands in brackets and may hold anything: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const alive = fields[0] !== 'Z' && fields[0] !== 'X' && fields[19] === started
  return alive ? Number(pid) : undefined
}
