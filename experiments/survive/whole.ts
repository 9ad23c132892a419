/** Whether a lab is as it should be. */
import { setTimeout as sleep } from 'node:timers/promises'
import { podStreams, startLoad } from '../load.ts'
import { missing, readHeld, wantedOf } from './held.ts'
import type { LabUnderTest } from './lab.ts'
import { stateOf } from './verdict.ts'

const proofMs = 1000

/** A short load of its own: every stream is measured, and answered in the end. */
export async function reachEachOther(
  lab: LabUnderTest,
  options: { signal?: AbortSignal } = {},
): Promise<boolean> {
  const load = await startLoad(lab.session, podStreams(lab.plan), options)
  await sleep(proofMs)
  const state = stateOf(await load.stop())
  return state === 'unharmed' || state === 'healed'
}

/** Whether every host holds what is planned, and every daemon lives. */
export async function isWhole(lab: LabUnderTest): Promise<boolean> {
  const hosts = Object.values(lab.plan.hosts)
  const held = await readHeld(lab.session, hosts)
  return hosts.every(({ name }) => name in held) && missing(wantedOf(hosts), held).length === 0
}
