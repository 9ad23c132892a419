/** The locks of Pulumi's local state: whose they are, and which of them a killed run left. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { ownBackend } from '../tools/passphrase.ts'
import { ownFolder } from '../tools/paths.ts'
import { livingProcess, startOf } from '../tools/process.ts'
import { UserError } from './user-error.ts'

/** As Pulumi writes it (pkg/backend/diy/lock.go). */
const content = z.object({
  pid: z.int().positive(),
  username: z.string(),
  hostname: z.string(),
  timestamp: z.coerce.date(),
})

interface Lock {
  readonly file: string
  /** Undefined where the file can not be read: it is being written, or was cut. */
  readonly owner: z.infer<typeof content> | undefined
}

interface Locks {
  /** Their processes are no more. */
  readonly dead: readonly Lock[]
  /** May still be somebody's. */
  readonly held: readonly Lock[]
}

const ownState = (): string => join(ownFolder(), 'state')

/** The locks of a stack in overlab's own local state; none where the state is the user's. */
export function locksOf(stack: string, state: string = ownState()): Locks {
  if (!ownBackend()) return { dead: [], held: [] }
  // `organization/overlab/NAME` is a stack's full name in a local state.
  const folder = join(state, '.pulumi', 'locks', 'organization', 'overlab', stack.split('/').at(-1)!)
  if (!existsSync(folder)) return { dead: [], held: [] }
  const locks = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({ file: join(folder, file), owner: ownerOf(join(folder, file)) }))
  const { dead = [], held = [] } = Object.groupBy(locks, (lock) => (isDead(lock) ? 'dead' : 'held'))
  return { dead, held }
}

function ownerOf(file: string): Lock['owner'] {
  try {
    return content.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
  } catch {
    return undefined
  }
}

function isDead({ owner }: Lock): boolean {
  if (owner === undefined || owner.hostname !== hostname()) return false
  const found = livingProcess(owner.pid)
  if (!found) return true
  // The number was given to another process since: not Pulumi's, and younger than the lock.
  const start = startOf(found)
  return found.name !== 'pulumi' && start !== undefined && start > owner.timestamp
}

/** A killed process needs a moment to be gone, and a run that was interrupted to end. */
const patience = 3000

/**
 * Takes away what killed runs left, each lock by itself: a run that begins at this moment keeps its own.
 * @param say is told of each
 * @throws UserError where somebody holds the stack, also after a moment
 */
export async function freeStack(
  stack: string,
  say: (text: string) => void,
  { state = ownState(), patienceMs = patience } = {},
): Promise<void> {
  const end = performance.now() + patienceMs
  for (;;) {
    const { dead, held } = locksOf(stack, state)
    for (const { file, owner } of dead) {
      rmSync(file, { force: true })
      say(`unlocking ${stack}: the run that locked it (pid ${owner?.pid}) was killed`)
    }
    const [lock] = held
    if (!lock) return
    if (performance.now() >= end) throw heldBy(stack, lock)
    await sleep(100)
  }
}

/** The first that holds the stack, in words, and what to do about it; undefined where nobody does. */
export function holderOf(stack: string, state?: string): UserError | undefined {
  const [lock] = locksOf(stack, state).held
  return lock && heldBy(stack, lock)
}

function heldBy(stack: string, { file, owner }: Lock): UserError {
  if (!owner)
    return new UserError(
      `the stack ${stack} is locked, and its lock can not be read`,
      `where no run is at work on it: rm ${file}`,
      1,
    )
  const { pid, username, hostname: host, timestamp } = owner
  const who = `pid ${pid}, ${username}@${host}, since ${timestamp.toLocaleString('sv')}`
  if (host !== hostname())
    return new UserError(
      `the stack ${stack} is locked by a run on another machine (${who})`,
      `wait until it has ended; where it is no more: npx pulumi cancel --yes --stack ${stack}`,
      1,
    )
  // Not the whole line: options may hold a secret (`--config KEY=VALUE`).
  const [program = '', verb = ''] = livingProcess(pid)?.words ?? []
  const command = [basename(program), verb].filter((word) => /^[a-z][a-z-]*$/.test(word)).join(' ')
  return new UserError(
    `the stack ${stack} is locked by ${command || 'a process'} (${who}), which still runs`,
    `wait until it has ended, or stop it: kill -INT ${pid}`,
    1,
  )
}
