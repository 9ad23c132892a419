/**
 * Runs inside a sandbox: `overlab up` and all its children are killed -9 at several moments. The next `overlab up`
 * must converge, and destroy must leave nothing.
 */
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { difference, fingerprint } from '../fingerprint.ts'
import { lostPairs, makeLab, type TestLab } from './lab.ts'
import { makeProject } from './project.ts'

const project = makeProject()

/** A process and all below it. Machines are no children of the run any more. */
function family(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const parent = Number(readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1])
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
    } catch {
      // It ended meanwhile.
    }
  }
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)]
  return below(root)
}

/** Kills the run as soon as `moment` says so; false where it ended before. */
async function killAt(lab: TestLab, moment: (printed: string) => boolean): Promise<boolean> {
  const child = project.start(lab.stack, 'up', '--yes', '--skip-preview')
  let printed = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk) => (printed += String(chunk)))
  const ended = once(child, 'exit')
  while (child.exitCode === null && !moment(printed)) await sleep(5)
  if (child.exitCode !== null) return false
  for (const pid of family(child.pid!)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended meanwhile.
    }
  }
  await ended
  return true
}

const machines = (lab: TestLab) => {
  const folder = join('/run/overlab', lab.name, 'machines')
  return existsSync(folder) ? readdirSync(folder).length : 0
}

try {
  const lab = await makeLab(project, { backend: { Type: 'udp' } })
  await lab.up()
  await lab.destroy()
  const before = await fingerprint()
  const moments: readonly (readonly [string, (printed: string) => boolean])[] = [
    ['in the underlay', () => existsSync(`/run/overlab/${lab.name}`)],
    ['in the middle of the boots', () => machines(lab) >= 2],
    ['in the data plane', (printed) => /DataPlane.*creating/.test(printed)],
  ]
  for (const [where, moment] of moments) {
    if (!(await killAt(lab, moment))) throw new Error(`${where}: the run had ended before it could be killed`)
    const printed = await lab.up()
    const lost = await lostPairs(lab)
    if (lost.length > 0) throw new Error(`killed ${where}: ${lost.join('\n')}\n${printed}`)
    if (!/8 unchanged/.test(await lab.up()))
      throw new Error(`killed ${where}: the lab is not as it should be`)
    await lab.destroy()
    const left = difference(before, await fingerprint())
    if (left.length > 0) throw new Error(`killed ${where}: left over:\n${left.join('\n')}`)
    console.log(`killed ${where}: completed, destroyed`)
  }

  // And the other way round: a killed change of backend, a killed destroy.
  await lab.up()
  lab.describe({ backend: { Type: 'vxlan' } })
  if (!(await killAt(lab, (printed) => /DataPlane.*(prepare|switch): /.test(printed))))
    throw new Error('the change had ended before it could be killed')
  await lab.up()
  const lost = await lostPairs(lab)
  if (lost.length > 0) throw new Error(`killed in a change: ${lost.join('\n')}`)
  const leftovers = await lab.on(
    'node1',
    // `given` is the machine's from its boot on, whatever its backend is.
    'ls /run/overlab-bpf 2>/dev/null | grep -vx given || :; tc filter show dev eth0 ingress',
  )
  if (leftovers !== '') throw new Error(`killed in a change: udp is left on node1: ${leftovers}`)
  await lab.destroy()
  const left = difference(before, await fingerprint())
  if (left.length > 0) throw new Error(`killed in a change: left over:\n${left.join('\n')}`)
  console.log('nothing left over')
} finally {
  project.remove()
}
