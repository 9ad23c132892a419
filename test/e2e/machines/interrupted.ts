/**
 * Runs inside a sandbox: kills the process that builds a lab at many moments, alone or with its scripts, and checks
 * that the lab can then be finished or deleted, and that nothing is left over.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Name } from '../../../inventory/values.ts'
import { namespaceDriver } from '../../../machines/namespace.ts'
import { difference, fingerprint } from '../fingerprint.ts'
import { ssh, testLab } from './labs.ts'

const moments = process.argv.slice(2).map(Number)
const lab = 'cut'
const net = '192.168.200'
const spec = testLab(lab, net, 3)

/** Kills every step that is under way, as an out-of-memory killer would: no matter which. */
async function killScripts(): Promise<void> {
  for (const entry of await readdir('/proc')) {
    const args = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
    if (/^\d+$/.test(entry) && /machines\/[a-z]+\/[a-z-]+\.sh/.test(args))
      process.kill(Number(entry), 'SIGKILL')
  }
}

// The first lab of a kernel's life may load what stays loaded.
await namespaceDriver.createUnderlay({ ...spec.underlay, owner: 'up' })
await namespaceDriver.deleteUnderlay(lab as Name)
const before = await fingerprint()
for (const [round, moment] of moments.entries()) {
  const builder = spawn(process.execPath, [join(import.meta.dirname, 'up.ts'), lab, net, '3'], {
    stdio: 'ignore',
  })
  await sleep(moment)
  builder.kill('SIGKILL')
  if (round % 2 === 0) await killScripts()
  if (builder.exitCode === null && builder.signalCode === null) await once(builder, 'exit')
  if (round % 3 === 0) {
    await namespaceDriver.createUnderlay({ ...spec.underlay, owner: 'up' })
    await Promise.all(spec.machines.map((machine) => namespaceDriver.boot(machine)))
    const name = await ssh(lab, 'node3', 'hostname && ping -c1 -W2 192.168.200.1 >/dev/null && echo reached')
    if (name !== 'node3\nreached')
      throw new Error(`round ${round}, killed after ${moment} ms: node3 says ${name}`)
  }
  await namespaceDriver.deleteUnderlay(lab as Name)
  const left = difference(before, await fingerprint())
  if (left.length > 0)
    throw new Error(`round ${round}, killed after ${moment} ms: left over:\n${left.join('\n')}`)
}
console.log(`${moments.length} rounds, nothing left over`)
