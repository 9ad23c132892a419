/** The hosts of a lab that overlab did not make, as this computer remembers them between its commands. */
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseJson } from '../../inventory/json.ts'
import type { Name } from '../../inventory/values.ts'
import { target as targetSchema, type Target } from '../../remote/target.ts'
import type { MachineStatus } from '../machine.ts'

/** Of the project, since hosts belong to its stacks. No key is in it, only paths. */
const folder = fileURLToPath(new URL('../../.overlab/hosts', import.meta.url))

export async function recordHost(lab: Name, target: Target): Promise<void> {
  const file = fileOf(lab, target.name)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, JSON.stringify(target), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

export async function forgetHost(lab: Name, name: string): Promise<void> {
  await rm(fileOf(lab, name), { force: true })
  // The last one takes the folder along.
  await rmdir(join(folder, lab)).catch(() => {})
}

/** Whether it runs is found out by connecting. */
export async function listHosts(lab: Name): Promise<MachineStatus[]> {
  const files = await readdir(join(folder, lab)).catch(() => [])
  const texts = await Promise.all(
    files
      .filter((file) => file.endsWith('.json'))
      .map((file) => readFile(join(folder, lab, file), 'utf8').catch(() => undefined)),
  )
  return texts.flatMap((text) =>
    text === undefined
      ? []
      : [{ target: parseJson(targetSchema, text, `a file of ${join(folder, lab)}`), running: true }],
  )
}

function fileOf(lab: Name, name: string): string {
  return join(folder, lab, `${name}.json`)
}
