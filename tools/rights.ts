/** Root's rights: had, or to be had through sudo. */
import { findCommand, run, type Result, type RunOptions } from './commands.ts'
import { problem, SetupError, type Part, type Work } from './work.ts'

export interface Rights {
  readonly uid: number
  readonly sudo: string | undefined
  /** Can somebody type a password? */
  readonly terminal: boolean
  /** Does sudo let this user in without one? */
  passwordless(): Promise<boolean>
}

export function rights(): Rights {
  const sudo = findCommand('sudo')
  return {
    uid: process.getuid?.() ?? 0,
    sudo,
    terminal: Boolean(process.stdin.isTTY && process.stdout.isTTY),
    passwordless: async () =>
      sudo !== undefined && (await run(sudo, ['-n', 'true'], { timeout: 5000 })).code === 0,
  }
}

/** Labs need root for their namespaces and links, whether anything is to be installed or not. */
export function rightsPart(have: Rights = rights()): Part {
  return { name: 'rights', plan: () => planRights(have) }
}

export async function planRights(have: Rights): Promise<Work | undefined> {
  if (have.uid === 0) return undefined
  if (have.sudo === undefined) {
    return problem(
      `not root (uid ${have.uid}) and no sudo: labs need root for namespaces and links; run it as root (su -), or install sudo and allow this user to use it`,
    )
  }
  if (await have.passwordless()) return undefined
  if (!have.terminal) {
    return problem(
      `not root (uid ${have.uid}), and sudo asks for a password where none can be typed: run it in a terminal, as root, or allow this user NOPASSWD in /etc/sudoers.d`,
    )
  }
  const sudo = have.sudo
  return {
    problems: [],
    outside: [],
    tasks: [
      {
        title: 'asking sudo for rights',
        interactive: true,
        run: async () => {
          console.log('set-up: labs need root; sudo asks for your password')
          const { code } = await run(sudo, ['-v'], { inherit: true })
          if (code !== 0)
            throw new SetupError('sudo gave no rights: run it as root, or as a user who may use sudo')
        },
      },
    ],
  }
}

/** Runs a program as root: itself, or through sudo (which must not ask: `planRights` came first). */
export function runAsRoot(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Result> {
  if (process.getuid?.() === 0) return run(command, args, options)
  return run('sudo', ['-n', '--', command, ...args], options)
}
