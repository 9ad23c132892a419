/** One set-up at a time for a user: a second one waits and then finds nothing left to do. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, linkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/**
 * Runs `work` while holding the lock file. A lock whose process is gone (killed, power cut) is taken over.
 * @param waiting called once, with the holder's process id, where another process holds it
 */
export async function withLock<T>(
  path: string,
  waiting: (pid: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(path), { recursive: true })
  const mine = `${path}.${process.pid}.${randomUUID()}`
  writeFileSync(mine, String(process.pid))
  try {
    for (let told = false; !take(mine, path);) {
      const holder = Number(readText(path))
      if (holder && !isAlive(holder)) evict(path, holder)
      else if (holder && !told) {
        waiting(holder)
        told = true
      }
      await setTimeout(200)
    }
    try {
      return await work()
    } finally {
      rmSync(path, { force: true })
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

/** A hard link appears whole or not at all, with its content, so no reader sees an empty lock. */
function take(mine: string, path: string): boolean {
  try {
    linkSync(mine, path)
    return true
  } catch {
    return false
  }
}

function evict(path: string, holder: number): void {
  const aside = `${path}.${process.pid}.stale`
  try {
    renameSync(path, aside)
    // Another process may have evicted the same holder first and hold the lock by now: give it back.
    if (Number(readText(aside)) !== holder) take(aside, path)
    rmSync(aside, { force: true })
  } catch {
    // Somebody else was quicker.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
