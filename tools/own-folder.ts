/** overlab's own folder belongs to its owner alone: Pulumi's state is in it, with what the acts of a lab were given. */
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ownFolder } from './paths.ts'

/** Makes a part of the own folder where it is missing; its path. */
export function makeOwnFolder(...parts: readonly string[]): string {
  makePrivate(ownFolder())
  const folder = join(ownFolder(), ...parts)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Makes a folder that others can not enter; one that is there is closed to them. */
export function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  closeToOthers(folder)
}

/** Can others enter it? */
export function isOpen(folder: string): boolean {
  return ((modeOf(folder) ?? 0) & 0o077) !== 0
}

/** Takes the rights of others on a folder away. Nothing where there is none, or where it is another user's. */
export function closeToOthers(folder: string = ownFolder()): void {
  if (!isOpen(folder)) return
  try {
    chmodSync(folder, 0o700)
  } catch {
    // Of another user, or on a disk that can not be written: no reason to refuse a verb.
  }
}

function modeOf(folder: string): number | undefined {
  return statSync(folder, { throwIfNoEntry: false })?.mode
}
