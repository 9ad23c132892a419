/** Where things are: in the repository, in Pulumi's home, in the user's cache. Nothing is created here. */
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

export const repository: string = dirname(import.meta.dirname)

/** An absolute path inside the repository. */
export function fromRepository(...parts: string[]): string {
  return join(repository, ...parts)
}

/** What overlab makes for itself inside the repository: passphrase, state, notes of set-up. Ignored by git. */
export function ownFolder(): string {
  return fromRepository('.overlab')
}

/** Pulumi's own folder: `$PULUMI_HOME`, else `~/.pulumi` (as in the npm launcher, lib/cache.js). */
export function pulumiHome(env: NodeJS.ProcessEnv = process.env): string {
  return env['PULUMI_HOME'] || join(homedir(), '.pulumi')
}

/** What can be made again at any time: `$XDG_CACHE_HOME/overlab`, else `~/.cache/overlab`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'overlab')
}
