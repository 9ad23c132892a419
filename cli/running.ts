/** The running lab: how its hosts are reached. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { listMachines } from '../machines/drivers.ts'
import { labFolder } from '../machines/namespace/paths.ts'
import { HostError } from '../remote/errors.ts'
import { createPool } from '../remote/pool.ts'
import type { Session } from '../remote/session.ts'
import type { LabContext } from './context.ts'
import { UserError } from './user-error.ts'

export interface RunningLab {
  /** @throws HostError where the host can not be reached; at once where its machine does not run */
  readonly session: (host: string) => Promise<Session>
  readonly close: () => Promise<void>
}

/** A person waits: a machine that runs answers in a fraction of a second, or hangs. */
const patience = { attemptMs: 5000, overallMs: 5000 }

/** @throws UserError where the lab is not up, or belongs to another user */
export async function runningLab({ stack, inventory }: LabContext, signal: AbortSignal): Promise<RunningLab> {
  const lab = inventory.lab.name
  const machines = await listMachines(lab)
  if (machines.size === 0) throw await notUp(lab, stack)
  const pool = createPool(patience)
  return {
    async session(host) {
      const machine = machines.get(host)
      const why = machine
        ? 'its machine does not run'
        : `it is in the inventory, but not in the running lab ${lab}`
      if (!machine?.running)
        throw new HostError({ host, step: 'connect', why, hint: 'npx overlab up boots it' })
      // Who presses Ctrl-C does not wait for a connect. What runs already ends by its own signal, which needs the connection.
      const interrupted = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () =>
          reject(new HostError({ host, step: 'connect', why: 'was interrupted' })),
        )
      })
      return Promise.race([pool.session(machine.target), interrupted])
    },
    close: () => pool.close(),
  }
}

async function notUp(lab: LabContext['inventory']['lab']['name'], stack: string): Promise<UserError> {
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
    : new UserError(`the lab ${lab} is not up`, `npx overlab up --stack ${stack} builds it`, 1)
}
