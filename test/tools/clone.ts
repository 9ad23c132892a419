/** A copy of the repository's files as they are now, with this one's node_modules: a clean clone without the network. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../../tools/paths.ts'
import { temporaryFolder } from './temporary.ts'

export function cleanClone({ nodeModules }: { nodeModules: boolean }): string {
  const folder = join(temporaryFolder(), 'clone')
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  })
  for (const file of files.split('\0').filter(Boolean)) {
    const from = join(repository, file)
    // Deleted, but still in git's index.
    if (existsSync(from)) cpSync(from, join(folder, file))
  }
  if (nodeModules) symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  return folder
}
