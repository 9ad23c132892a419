/** One set-up at a time for a user: a second one waits and then finds nothing left to do. */
import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { livingProcess } from './process.ts'

/**
 * Runs `work` while holding the lock file. A lock whose process is gone (killed, power cut) is taken over.
 * @param waiting called once, with the holder's process id, where another process holds it
 */
export async function withLock<T>(
  path: string,
  waiting: (pid: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  let told = false
  for (;;) {
    const lock = tryLock(path)
    if ('release' in lock) {
      try {
        return await work()
      } finally {
        lock.release()
      }
    }
    if (lock.holder !== undefined && !told) {
      waiting(lock.holder)
      told = true
    }
    await setTimeout(200)
  }
}

/**
 * Takes the lock file, also from a process that is gone; or tells who holds it (undefined where that changes at this
 * moment). A process that holds it already is told its own id.
 */
export function tryLock(path: string): { release(): void } | { readonly holder: number | undefined } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const mine = `${path}.${process.pid}.${randomUUID()}`
  writeFileSync(mine, identity(process.pid) ?? String(process.pid))
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      if (take(mine, path)) return { release: () => rmSync(path, { force: true }) }
      const holder = readText(path)
      const pid = Number.parseInt(holder, 10)
      if (holder && identity(pid) === holder) return { holder: pid }
      if (holder) evict(path, holder, mine)
    }
    return { holder: undefined }
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

function evict(path: string, holder: string, mine: string): void {
  const aside = `${path}.${randomUUID()}.stale`
  try {
    renameSync(path, aside)
    // Another process may have evicted the same holder first and hold the lock by now: give it back.
    if (readText(aside) !== holder) take(aside, path)
    rmSync(aside, { force: true })
  } catch {
    // Somebody else was quicker.
    return
  }
  const leftover = `${basename(path)}.${Number.parseInt(holder, 10)}.`
  for (const file of readdirSync(dirname(path))) {
    // This process may have got the holder's id.
    if (file.startsWith(leftover) && file !== basename(mine))
      rmSync(join(dirname(path), file), { force: true })
  }
}

/** Process id and start time, since ids are used again; undefined where no such process lives. */
export function identity(pid: number): string | undefined {
  const found = livingProcess(pid)
  return found && `${pid} ${found.ticks}`
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
