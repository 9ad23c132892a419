/**
 * Runs inside a sandbox: `overlab compare` is interrupted while it builds and while it measures, and killed -9.
 * An interrupt leaves nothing; what the killed run left is taken away by the next one.
 */
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { difference, fingerprint } from '../fingerprint.ts'
import { makeLab } from '../support/lab.ts'
import { makeProject } from '../support/project.ts'

const project = makeProject()
const labs = () => (existsSync('/run/overlab') ? readdirSync('/run/overlab') : [])
const scratch = join(project.folder, '.overlab', 'scratch')

try {
  const { name, stack } = await makeLab(project, {
    backend: { Type: 'vxlan' },
    all: { hosts: { 'node[1:2]': null } },
  })
  // The first lab of a kernel's life may load what stays loaded.
  const warm = await project.overlab(stack, 'compare', 'host-gw', '--quick', '--force', '--metric', 'mtu')
  if (warm.code !== 0) throw new Error(warm.output)
  const before = await fingerprint()
  const leftovers = async () => [
    ...difference(before, await fingerprint()),
    ...readdirSync(scratch).map((file) => `+ scratch ${file}`),
  ]
  /** Starts a run, and signals it as soon as it is there. */
  const stopAt = async (signal: NodeJS.Signals, isThere: () => boolean, later = 0) => {
    const child = project.start(
      stack,
      'compare',
      'host-gw',
      'vxlan',
      '--force',
      '--metric',
      'rtt-p50',
      '--rounds',
      '20',
    )
    let printed = ''
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk) => (printed += String(chunk)))
    const ended = once(child, 'exit') as Promise<[number | null]>
    while (!isThere() && child.exitCode === null) await sleep(20)
    await sleep(later)
    if (child.exitCode !== null) throw new Error(`it had ended before the signal:\n${printed}`)
    child.kill(signal)
    const [code] = await ended
    return { code, printed }
  }
  const builds = () => labs().includes(`${name}-x-host-gw`)
  const measures = () =>
    existsSync(join('/run/overlab', `${name}-x-vxlan`, 'machines', 'node2', 'ssh_config'))
  for (const [what, signal, isThere, later] of [
    ['while it builds', 'SIGINT', builds, 0],
    ['while it measures', 'SIGINT', measures, 4000],
    ['while it measures', 'SIGTERM', measures, 6000],
  ] as const) {
    const { code, printed } = await stopAt(signal, isThere, later)
    const left = await leftovers()
    if (code !== 130 || left.length > 0)
      throw new Error(`${signal} ${what}: exit ${code}\n${printed}\nleft over:\n${left.join('\n')}`)
    console.log(`${signal} ${what}: nothing left over`)
  }
  await stopAt('SIGKILL', measures)
  if ((await leftovers()).length === 0) throw new Error('a kill leaves nothing: the test sees nothing')
  const next = await project.overlab(stack, 'compare', 'host-gw', '--quick', '--force', '--metric', 'mtu')
  const left = await leftovers()
  if (next.code !== 0 || left.length > 0)
    throw new Error(`after a kill: exit ${next.code}\n${next.output}\nleft over:\n${left.join('\n')}`)
  console.log('nothing left over')
} finally {
  project.remove()
}
