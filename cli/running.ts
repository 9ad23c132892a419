/** The running lab: how its hosts are reached. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { targets } from '../machines/namespace.ts'
import { labFolder } from '../machines/namespace/paths.ts'
import type { Target } from '../remote/target.ts'
import type { LabContext } from './context.ts'
import { UserError } from './user-error.ts'

/**
 * How the hosts are reached, by name; a host of the inventory that the running lab has not yet is missing.
 * @throws UserError where the lab is not up, or belongs to another user
 */
export async function labTargets({ stack, inventory }: LabContext): Promise<ReadonlyMap<string, Target>> {
  const lab = inventory.lab.name
  const running = await targets(lab)
  if (running.length > 0) return new Map(running.map((target) => [target.name, target]))
  const folder = labFolder(lab)
  const code = await readdir(join(folder, 'machines')).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  )
  if (code === 'EACCES')
    throw new UserError(
      `${folder} can be read only by the user who built the lab`,
      'run it as that user, or as root',
      1,
    )
  throw new UserError(`the lab ${lab} is not up`, `npx overlab up --stack ${stack} builds it`, 1)
}

/** Why a host of the inventory can not be asked. */
export const notInLab = 'is in the inventory, but not in the running lab; npx overlab up builds it'
