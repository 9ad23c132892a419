/** The matrix: faults x variants, cell by cell, the lab whole again before each. */
import { HostError } from '../../remote/errors.ts'
import type { Cell } from '../results/survival.ts'
import { strikeCell } from './cell.ts'
import type { Fault } from './fault.ts'
import type { LabUnderTest } from './lab.ts'
import { isWhole, reachEachOther } from './whole.ts'

export interface SurviveOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (cell: { fault: Fault; state: string }) => void
  readonly onCell?: (cell: Cell) => void
}

/** Where the lab can not be brought back to what it was. */
export class NotWhole extends Error {
  override readonly name = 'NotWhole'
}

/**
 * One column: every fault, one after the other, done to one lab.
 * @param rebuild gives another lab where this one can not be mended; without it that is the end
 * @throws NotWhole; HostError or an abort's error after an interrupt, the lab having been mended where it is to stay
 */
export async function column(
  lab: LabUnderTest,
  faults: readonly Fault[],
  { signal, onProgress, onCell }: SurviveOptions = {},
  rebuild?: () => Promise<LabUnderTest>,
): Promise<Cell[]> {
  const cells: Cell[] = []
  let now = lab
  for (const fault of faults) {
    signal?.throwIfAborted()
    const show = (state: string) => onProgress?.({ fault, state })
    show('')
    const { cell, putBack } = await strikeCell(fault, now, { signal, onProgress: show }).catch(
      async (error: unknown) => {
        // A lab of our own is taken away; one that stays is mended, interrupted or not.
        if (!rebuild) await mend(now, fault, show)
        throw error
      },
    )
    cells.push(cell)
    onCell?.(cell)
    if ('notApplicable' in cell) continue
    show('putting back')
    await putBack()
    if (await isWhole(now)) continue
    try {
      await mend(now, fault, show)
    } catch (error) {
      if (!rebuild || signal?.aborted) throw error
      show('building anew')
      now = await rebuild()
    }
  }
  return cells
}

/** `pulumi up`, twice at most, until the lab is as it should be. @throws NotWhole */
async function mend(lab: LabUnderTest, fault: Fault, show: (state: string) => void): Promise<void> {
  let why = 'something that is planned is not there, or the pods do not reach each other'
  for (let tries = 0; tries < 2; tries++) {
    show('pulumi up')
    try {
      await lab.up()
      if ((await isWhole(lab)) && (await reachEachOther(lab))) return
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      why = error.message
    }
  }
  throw new NotWhole(`the lab could not be mended after ${fault.id}: ${why}`)
}
