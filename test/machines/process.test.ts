import { readFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { livingPid } from '../../machines/lab/process.ts'

async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

it('knows a process by its pid and start time, and never takes another one for it', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  try {
    await once(child, 'spawn')
    const pid = child.pid ?? 0
    const started = await startTime(pid)
    expect(await livingPid(`${pid} ${started}\n`)).toBe(pid)
    // The same pid, given out again later.
    expect(await livingPid(`${pid} ${Number(started) - 1}`)).toBeUndefined()
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await livingPid(`${pid} ${started}`)).toBeUndefined()
  } finally {
    child.kill('SIGKILL')
  }
})

it.each(['', '\n', '1', 'x y', '../1 2'])('takes %j for no process', async (line) => {
  expect(await livingPid(line)).toBeUndefined()
})
