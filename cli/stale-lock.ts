/** The lock that a killed run left in Pulumi's local state. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ownFolder } from '../tools/paths.ts'
import { ownBackend } from '../tools/passphrase.ts'

/**
 * The process that locked a stack and is no more. Undefined where there is no lock, or where any lock may still be
 * of somebody: of a living process, of another machine, or one that can not be read. Those are Pulumi's to speak of.
 */
export function staleLock(stack: string, state: string = join(ownFolder(), 'state')): number | undefined {
  if (!ownBackend()) return undefined
  // `organization/overlab/NAME` is a stack's full name in a local state.
  const folder = join(state, '.pulumi', 'locks', 'organization', 'overlab', stack.split('/').at(-1)!)
  if (!existsSync(folder)) return undefined
  const owners = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ownerOf(join(folder, file)))
  if (owners.some((owner) => owner === undefined || owner.hostname !== hostname() || isAlive(owner.pid)))
    return undefined
  return owners[0]?.pid
}

function ownerOf(file: string): { pid: number; hostname: string } | undefined {
  try {
    const { pid, hostname } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    return Number.isSafeInteger(pid) && typeof hostname === 'string'
      ? { pid: pid as number, hostname }
      : undefined
  } catch {
    return undefined
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
