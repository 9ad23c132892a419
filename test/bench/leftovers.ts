/** What the bench makes bears its process's id: what a killed run left is found, and taken away. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { name as nameSchema, type Name } from '../../inventory/values.ts'
import { labNames } from '../../machines/lab/records.ts'
import { network } from '../../machines/network.ts'
import { sweep as sweepScratch } from '../../experiments/variants/place.ts'
import { identity } from '../../tools/lock.ts'
import { cacheFolder } from '../../tools/paths.ts'

/** `bench4711x10` */
export function ownLab(word: string, pid = process.pid): Name {
  return nameSchema.parse(`bench${pid}${word}`)
}

/** Beside other temporary files; or in the cache, for what is too large where those are in memory. */
export function ownFolder(word: string, where: 'temporary' | 'cache' = 'temporary'): string {
  return join(places[where], `bench-${process.pid}-${word}`)
}

const places = { temporary: tmpdir(), cache: cacheFolder() }

/** The process whose it is; undefined of what is nobody's of this bench. */
export function makerOf(name: string): number | undefined {
  const pid = /^bench-?([1-9]\d*)[a-z-]/.exec(name)?.[1]
  return pid === undefined ? undefined : Number(pid)
}

/** Takes away what dead processes left. */
export async function sweep(say: (text: string) => void): Promise<void> {
  const isLeft = (name: string) => {
    const pid = makerOf(name)
    return pid !== undefined && identity(pid) === undefined
  }
  const told = (lab: Name) => say(`taking away ${lab}, which a killed run left`)
  await sweepScratch(told)
  for (const lab of (await labNames()).filter(isLeft)) {
    told(lab)
    await network.deleteUnderlay(lab)
  }
  for (const place of Object.values(places))
    for (const name of existsSync(place) ? readdirSync(place).filter(isLeft) : [])
      removeFolder(join(place, name))
}

/** Whatever a killed build of an image may have mounted in it stays. */
export function removeFolder(folder: string): void {
  execFileSync('rm', ['-rf', '--one-file-system', '--', folder])
}
