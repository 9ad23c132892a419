/** Ends a machine of this computer, of whatever kind. */
import { name as nameSchema } from '../../inventory/values.ts'
import type { Name } from '../../inventory/values.ts'
import { portLink } from './paths.ts'
import { runScript } from './script.ts'

/** Kills it like a pulled plug, and returns when all of it is gone; its files stay. No error where it is not there. */
export async function powerCut(lab: Name, name: Name): Promise<void> {
  await stop(lab, name, 'keep')
}

/** Kills it, and takes its files away. */
export async function remove(lab: Name, name: Name): Promise<void> {
  await stop(lab, name, 'remove')
}

async function stop(lab: Name, name: Name, files: 'keep' | 'remove'): Promise<void> {
  nameSchema.parse(lab)
  nameSchema.parse(name)
  const place = { host: name, step: files === 'keep' ? 'power cut' : 'remove' }
  await runScript(place, 'lab/stop.sh', [lab, name, portLink(name), files])
}
