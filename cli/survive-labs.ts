/** The labs that `survive` strikes: one of a variant's own, or the user's. */
import { join } from 'node:path'
import type { Cell } from '../experiments/results/survival.ts'
import { labSessions } from '../experiments/sessions.ts'
import type { Fault } from '../experiments/survive/fault.ts'
import { scratchUnderTest, type LabUnderTest } from '../experiments/survive/lab.ts'
import { column, NotWhole, type SurviveOptions } from '../experiments/survive/survive.ts'
import { isWhole, reachEachOther } from '../experiments/survive/whole.ts'
import { checkScratch, scratchLab, type ScratchLab } from '../experiments/variants/scratch.ts'
import type { Variant } from '../experiments/variants/variant.ts'
import type { LabPlan } from '../overlay/plan.ts'
import { HostError } from '../remote/errors.ts'
import { tryLock } from '../tools/lock.ts'
import { makeOwnFolder } from '../tools/own-folder.ts'
import type { LabContext } from './context.ts'
import { wasInterrupted } from './interrupt.ts'
import { complain } from './output.ts'
import { quietUp } from './quiet-up.ts'
import { runningLab } from './running.ts'
import { UserError } from './user-error.ts'
import { overlabCommand } from '../tools/command-line.ts'

export interface Run extends SurviveOptions {
  readonly signal: AbortSignal
  readonly onState: (state: string) => void
  readonly onLab: (lab: LabUnderTest) => Promise<void>
  readonly onCell: (cell: Cell) => void
}

/** In a lab of the variant's own. A failure of that lab is told in its cells; the other variants are measured all the same. */
export async function strikeScratch(
  context: LabContext,
  variant: Variant,
  chosen: readonly Fault[],
  run: Run,
): Promise<void> {
  checkScratch(context.inventory, variant)
  const done = new Set<string>()
  let scratch: ScratchLab | undefined
  const build = async () => {
    await scratch?.destroy()
    scratch = undefined
    scratch = await scratchLab(context, variant, {
      signal: run.signal,
      onProgress: run.onState,
    })
    return scratchUnderTest(scratch, variant)
  }
  const options = {
    ...run,
    onCell: (cell: Cell) => {
      done.add(cell.fault)
      run.onCell(cell)
    },
  }
  try {
    const lab = await build()
    await run.onLab(lab)
    await column(lab, chosen, options, build)
  } catch (error) {
    if (!(error instanceof HostError) || run.signal.aborted) throw error
    for (const { id } of chosen)
      if (!done.has(id))
        run.onCell({ variant: variant.name, fault: id, notMeasured: error.message.split('\n')[0]! })
  } finally {
    run.onState('taking the lab away')
    await scratch?.destroy()
  }
}

/**
 * In the user's own lab, which is as before afterwards.
 * @throws UserError where it is not whole, before or after, or where another run strikes it
 */
export async function strikeHere(
  context: LabContext,
  plan: LabPlan,
  variant: Variant,
  chosen: readonly Fault[],
  run: Run,
): Promise<void> {
  const { name } = context.inventory.lab
  // Each of two would take the other's fault for a part of the lab as it was.
  const lock = tryLock(join(makeOwnFolder('struck'), `${name}.lock`))
  if ('holder' in lock)
    throw new UserError(
      `the lab ${name} is struck by another survive --here${lock.holder === undefined ? '' : ` (pid ${lock.holder})`}`,
      'wait until it has ended',
      1,
    )
  try {
    await strikeLocked(context, plan, variant, chosen, run)
  } finally {
    lock.release()
  }
}

async function strikeLocked(
  context: LabContext,
  plan: LabPlan,
  variant: Variant,
  chosen: readonly Fault[],
  run: Run,
): Promise<void> {
  await (await runningLab(context, run.signal)).close()
  // Without the signal: what an interrupt leaves behind is mended over the same connections.
  const { session, close } = labSessions(context.inventory.lab.name)
  const lab: LabUnderTest = {
    variant,
    inventory: context.inventory,
    plan,
    session,
    up: () => quietUp(context.stack),
  }
  try {
    if (!(await isWhole(lab)) || !(await reachEachOther(lab)))
      throw new UserError(
        `the lab ${context.inventory.lab.name} is not as its inventory says`,
        `${overlabCommand('up')} mends it`,
        1,
      )
    await run.onLab(lab)
    await column(lab, chosen, run)
  } catch (error) {
    const { name } = context.inventory.lab
    if (error instanceof NotWhole) {
      const todo = overlabCommand('up')
      if (wasInterrupted()) complain(`${error.message}; ${todo}`)
      throw new UserError(error.message, todo, 1)
    }
    if (wasInterrupted()) complain(`interrupted; the lab ${name} is as before`)
    throw error
  } finally {
    await close()
  }
}
