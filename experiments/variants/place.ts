/**
 * A name and a folder for a lab of a variant's own: `.overlab/scratch/NAME`, with a lock beside it. Two runs at once
 * get different names; what a killed run left is taken away by the next.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Name } from '../../inventory/values.ts'
import { forgetLab } from '../../machines/found.ts'
import { readLab } from '../../machines/lab/records.ts'
import { network } from '../../machines/network.ts'
import { tryLock } from '../../tools/lock.ts'
import { makePrivate } from '../../tools/own-folder.ts'
import { ownFolder } from '../../tools/paths.ts'
import { endRun } from './pulumi.ts'

export interface Place {
  readonly name: Name
  /** Empty; nobody else's. */
  readonly folder: string
  /** Takes away the lab, however little of it is there, and the folder. */
  leave(): Promise<void>
}

/** More runs at once than anybody starts. */
const most = 20

/**
 * @param lab the user's lab, whose name the new one's begins with
 * @param onLeftover called with the name of a lab that a killed run left, before it is taken away
 */
export async function takePlace(
  lab: Name,
  variant: string,
  onLeftover: (name: Name) => void = () => {},
): Promise<Place> {
  await sweep(onLeftover)
  for (let number = 1; number <= most; number++) {
    const name = placeName(lab, variant, number)
    const place = await take(name, onLeftover)
    if (place) return place
  }
  throw new Error(
    `the names ${placeName(lab, variant, 1)} to ${placeName(lab, variant, most)} are all in use`,
  )
}

/** At most 63 characters, as every name of a lab. The `x` parts it from the stacks' own `lab-udp`. */
export function placeName(lab: Name, variant: string, number: number): Name {
  const end = `-x-${variant}${number === 1 ? '' : `-${number}`}`
  return `${lab.slice(0, 63 - end.length).replace(/-+$/, '')}${end}` as Name
}

function scratchFolder(): string {
  return join(ownFolder(), 'scratch')
}

/** Takes away all that killed runs of this project left. */
export async function sweep(onLeftover: (name: Name) => void = () => {}): Promise<void> {
  const names = existsSync(scratchFolder())
    ? readdirSync(scratchFolder(), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    : []
  for (const { name } of names) await (await take(name as Name, onLeftover))?.leave()
}

/** Undefined where another run, or another project, has it. */
async function take(name: Name, onLeftover: (name: Name) => void): Promise<Place | undefined> {
  const folder = join(scratchFolder(), name)
  const lock = tryLock(`${folder}.lock`)
  if ('holder' in lock) return undefined
  const owner = (await readLab(name))?.owner
  if (owner !== undefined && owner !== ownerOf(name, folder)) {
    lock.release()
    return undefined
  }
  const clean = async () => {
    await endRun(folder)
    await network.deleteUnderlay(name)
    forgetLab(name)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    if (owner !== undefined || existsSync(folder)) {
      onLeftover(name)
      await clean()
    }
    // The machines' client key is in the state: nobody else may read it.
    makePrivate(folder)
  } catch (error) {
    lock.release()
    throw error
  }
  return {
    name,
    folder,
    leave: () => clean().finally(() => lock.release()),
  }
}

/** As `resources/lab.ts` writes it. */
function ownerOf(name: Name, folder: string): string {
  return `stack ${name} of ${folder}`
}
