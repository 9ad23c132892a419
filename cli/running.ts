/** The running lab: how its hosts are reached. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { labSessions, type Sessions } from '../experiments/sessions.ts'
import { listMachines } from '../machines/drivers.ts'
import { labFolder } from '../machines/lab/paths.ts'
import type { LabContext } from './context.ts'
import { UserError } from './user-error.ts'
import { overlabCommand } from '../tools/command-line.ts'

export type RunningLab = Sessions

/** @throws UserError where the lab is not up, or belongs to another user */
export async function runningLab({ inventory }: LabContext, signal: AbortSignal): Promise<RunningLab> {
  const lab = inventory.lab.name
  if ((await listMachines(lab)).size === 0) throw await notUp(lab)
  return labSessions(lab, signal)
}

async function notUp(lab: LabContext['inventory']['lab']['name']): Promise<UserError> {
  const folder = labFolder(lab)
  const code = await readdir(join(folder, 'machines')).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  )
  return code === 'EACCES'
    ? new UserError(
        `${folder} can be read only by the user who built the lab`,
        'run it as that user, or as root',
        1,
      )
    : new UserError(`the lab ${lab} is not up`, `${overlabCommand('up')} builds it`, 1)
}
