/** Which project a call is of: overlab works on its own clone's lab, and on no other project's folder. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { quote } from '../remote/quote.ts'
import { repository } from '../tools/paths.ts'
import { UserError } from './user-error.ts'

/**
 * Whether the call came from the clone's own folder, or from one of no project.
 * @param folder where the user is
 * @throws UserError in the folder of another Pulumi project: its owner would expect that project's lab
 */
export function callerFrom(folder: string = process.cwd()): 'the project' | 'elsewhere' {
  const file = nearestProject(folder)
  if (file === undefined) return 'elsewhere'
  if (dirname(file) === repository) return 'the project'
  const theirs = join(dirname(file), 'overlab')
  throw new UserError(
    `${folder} belongs to the Pulumi project ${nameIn(file)} (${file}), and this overlab works on the lab of ${nameIn(join(repository, 'Pulumi.yaml'))} in ${repository}`,
    existsSync(theirs)
      ? `for that project's lab call ${quote(theirs)}; for this one's go there: cd ${quote(repository)}`
      : `go there: cd ${quote(repository)}`,
  )
}

/** The Pulumi.yaml that Pulumi itself would find from there: in the folder, or in the nearest one above. */
function nearestProject(folder: string): string | undefined {
  const found = ['Pulumi.yaml', 'Pulumi.yml'].map((name) => join(folder, name)).find(existsSync)
  if (found !== undefined || dirname(folder) === folder) return found
  return nearestProject(dirname(folder))
}

function nameIn(file: string): string {
  try {
    return /^name:\s*['"]?([\w.-]+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 'without a name'
  } catch {
    return 'that cannot be read'
  }
}
