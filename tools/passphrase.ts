/** The passphrase of the local state's secrets: made once, unless the user has one or keeps state elsewhere. */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { isOpen, makePrivate } from './own-folder.ts'
import { fromRepository, ownFolder } from './paths.ts'
import type { Part, Work } from './work.ts'

export function passphraseFile(folder: string = ownFolder()): string {
  return join(folder, 'passphrase')
}

/**
 * Where Pulumi keeps its state: `$PULUMI_BACKEND_URL`, else the project's `backend.url`, in Pulumi's own order.
 * Undefined where neither says so: then it is where the user is logged in.
 */
export function backendUrl(
  env: NodeJS.ProcessEnv = process.env,
  project = fromRepository('Pulumi.yaml'),
): string | undefined {
  if (env['PULUMI_BACKEND_URL']) return env['PULUMI_BACKEND_URL']
  const text = existsSync(project) ? readFileSync(project, 'utf8') : ''
  return /^backend:\s*(?:\{\s*|\n\s+)url:\s*['"]?([^\s'"}]+)/m.exec(text)?.[1]
}

/** The backend that overlab sets up by itself. Any other is the user's own business. */
export const localBackend = 'file://./.overlab/state'

export function ownBackend(env: NodeJS.ProcessEnv = process.env): boolean {
  return backendUrl(env) === localBackend
}

/** Does the user bring secrets of their own, so that overlab's passphrase must keep out? */
export function ownSecrets(env: NodeJS.ProcessEnv = process.env): boolean {
  return (
    env['PULUMI_CONFIG_PASSPHRASE'] !== undefined ||
    Boolean(env['PULUMI_CONFIG_PASSPHRASE_FILE']) ||
    !ownBackend(env)
  )
}

export const passphrasePart: Part = { name: 'the passphrase', plan: () => Promise.resolve(planPassphrase()) }

export function planPassphrase(
  env: NodeJS.ProcessEnv = process.env,
  folder: string = ownFolder(),
): Work | undefined {
  if (!ownBackend(env)) return undefined
  const state = join(folder, 'state')
  const file = passphraseFile(folder)
  const wanted = !ownSecrets(env)
  const safe = !wanted || (existsSync(file) && (statSync(file).mode & 0o077) === 0)
  const open = isOpen(folder)
  if (existsSync(state) && safe && !open) return undefined
  return {
    problems: [],
    outside: [],
    tasks: [
      {
        title:
          existsSync(state) && safe
            ? `closing ${basename(folder)} to other users`
            : 'making the local state folder' + (safe ? '' : ' and its passphrase'),
        run: async () => {
          makePrivate(folder)
          mkdirSync(state, { recursive: true })
          if (wanted) makePassphrase(file)
        },
      },
    ],
  }
}

/** Makes the file once, readable by its owner only. One that exists keeps its content. */
export function makePassphrase(file: string): void {
  const made = `${file}.${process.pid}`
  writeFileSync(made, randomBytes(32).toString('base64url') + '\n', { mode: 0o600 })
  try {
    if (!existsSync(file)) linkSync(made, file)
  } finally {
    rmSync(made, { force: true })
  }
  chmodSync(file, 0o600)
}
