/** The rights that namespaces need, and how a step gets them: as root, or through sudo where it asks nothing. */
import { execFile } from 'node:child_process'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'
import { HostError } from '../remote/errors.ts'

const run = promisify(execFile)

/** The words to put before a command that must run as root: none for root, else `sudo -n --`. */
export function asRoot(): readonly string[] {
  return process.getuid?.() === 0 ? [] : ['sudo', '-n', '--']
}

/** The user who will read a lab's files (its client key): who ran sudo, or who runs this. */
export function labUser(): number {
  const uid = process.getuid?.() ?? 0
  return uid === 0 ? Number(process.env.SUDO_UID ?? 0) : uid
}

let checked: Promise<void> | undefined

/** Throws, before anything is changed, where neither root nor sudo without a password can be had. */
export function requireRoot(): Promise<void> {
  if (process.getuid?.() === 0) return Promise.resolve()
  checked ??= run('sudo', ['-n', 'true']).then(
    () => undefined,
    () => {
      // A user who follows the hint must not be told the same again.
      checked = undefined
      throw new HostError({
        host: 'this machine',
        step: 'privileges',
        why: `namespaces need root, and ${userInfo().username} may not use sudo without a password`,
        hint: 'run "sudo -v" in this terminal first, or run the command as root',
      })
    },
  )
  return checked
}
