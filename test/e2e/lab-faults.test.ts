/** Hosts that hang, machines that die, runs that are killed: the next `up` completes, and nothing is left over. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { name, type Name } from '../../inventory/values.ts'
import type { MachineSpec } from '../../machines/machine.ts'
import { namespaceDriver, powerCut } from '../../machines/namespace.ts'
import { runInSandbox } from './sandbox.ts'
import { lostPairs, makeLab, say, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

describe('on a running lab', () => {
  let project: Project
  let lab: TestLab
  beforeAll(async () => {
    project = makeProject()
    lab = await makeLab(project, { backend: { Type: 'vxlan' } })
    await lab.up()
  })
  afterAll(async () => {
    await lab.destroy()
    project.remove()
  })

  /** All processes of a machine but its pid 1. */
  async function processesOf(host: string): Promise<number[]> {
    const init = (await readFile(`/run/overlab/${lab.name}/machines/${host}/pid`, 'utf8')).split(' ')[0]!
    const children = await readFile(`/proc/${init}/task/${init}/children`, 'utf8')
    return children.trim().split(' ').filter(Boolean).map(Number)
  }

  test('one host hangs: the others are finished, the error names it, the next up completes it', async () => {
    say('a host hangs')
    const hung = await processesOf('node2')
    lab.describe({ backend: { Type: 'host-gw' } })
    for (const pid of hung) process.kill(pid, 'SIGSTOP')
    let outcome
    try {
      outcome = await lab.overlab('up', '--yes', '--skip-preview')
    } finally {
      for (const pid of hung) process.kill(pid, 'SIGCONT')
    }
    expect(outcome.code).not.toBe(0)
    expect(outcome.output).toMatch(/node2: connect: /)
    expect(outcome.output).toContain('2 of 3 hosts are finished; the next `pulumi up` completes the rest')
    expect(outcome.output).not.toMatch(/node[13]: \w+: /)
    expect(await lab.on('node1', 'ip -br link | grep -c flannel || :; ip route show 10.244.3.0/24')).toMatch(
      /^0\n10\.244\.3\.0\/24 via \S+ dev eth0/,
    )
    expect(await lab.on('node2', 'ip -br link | grep -c flannel')).toBe('1')

    expect(await lab.up()).toMatch(/~ 1 updated/)
    expect(await lostPairs(lab)).toEqual([])
    expect(await lab.up()).toMatch(/8 unchanged/)
  })

  test('one host cannot do a step: what it holds is known, and the next up completes it', async () => {
    const bridge = await lab.on('node3', 'command -v bridge')
    await lab.on(
      'node3',
      `mv ${bridge} ${bridge}.real
       printf '#!/bin/sh\ncase "$*" in *-batch*) echo no luck >&2; exit 9 ;; esac\nexec ${bridge}.real "$@"\n' >${bridge}
       chmod +x ${bridge}`,
    )
    lab.describe({ backend: { Type: 'vxlan' } })
    const { code, output } = await lab.overlab('up', '--yes', '--skip-preview')
    await lab.on('node3', `mv ${bridge}.real ${bridge}`)
    expect(code).not.toBe(0)
    expect(output).toMatch(/node3: apply fdb: .*no luck/s)
    expect(output).not.toMatch(/node[12]: apply /)
    expect(output).toContain('2 of 3 hosts are finished')
    // The other two have gone on; the one that failed still sends by the old way.
    expect(await lab.on('node1', 'ip route show 10.244.2.0/24')).toContain('dev flannel.1')
    expect(await lab.on('node3', 'ip route show 10.244.2.0/24')).toContain('dev eth0')

    expect(await lab.up()).toMatch(/~ 1 updated/)
    expect(await lostPairs(lab)).toEqual([])
    expect(await lab.up()).toMatch(/8 unchanged/)
  })

  test('a power cut: refresh sees it, up boots the machine on its files and fills its kernel', async () => {
    say('a power cut')
    await lab.on('node3', 'echo kept >/etc/kept; sync')
    await powerCut(lab.name, name.parse('node3'))
    const { code, output } = await lab.overlab('preview')
    expect(code, output).toBe(0)
    expect(output).toMatch(/~ +overlab:index:Machine \S+-node3 update \[diff: ~running\]/)
    await lab.up()
    expect(await lab.on('node3', 'cat /etc/kept')).toBe('kept')
    expect(await lostPairs(lab)).toEqual([])
    expect(await lab.up()).toMatch(/8 unchanged/)
  })

  test('exec, show and plan speak of the running lab', async () => {
    expect((await lab.overlab('exec', 'node1-pod1', '--', 'hostname')).stdout.trim()).toBe('node1')
    expect((await lab.overlab('exec', 'node1', '--', 'sh', '-c', 'exit 7')).code).toBe(7)
    const shown = await lab.overlab('show', 'routes', 'node2')
    expect(shown.stdout).toMatch(/node2 +10\.244\.1\.0\/24 via 10\.244\.1\.0 dev flannel\.1.* overlab/)
    const planned = await lab.overlab('plan', 'node3')
    expect(planned.stdout).toContain('10.244.1.0/24')
  })

  test('what `plan --commands` prints builds the same on a machine that holds nothing', async () => {
    const { stdout } = await lab.overlab('plan', '--commands', 'node2')
    const { stdout: exported } = await lab.pulumi('stack', 'export')
    const { deployment } = JSON.parse(exported) as {
      deployment: { resources: { type: string; inputs: MachineSpec & { hostname: Name } }[] }
    }
    const { hostname, ...spec } = deployment.resources.find(
      ({ type, inputs }) => type === 'overlab:index:Machine' && inputs.hostname === 'node2',
    )!.inputs
    await powerCut(lab.name, hostname)
    await namespaceDriver.boot({ ...spec, name: hostname })
    expect(await lab.on('node2', 'ls /sys/class/net | xargs')).toBe('eth0 lo')
    await lab.on('node2', stdout)
    expect(await lab.up()).toMatch(/8 unchanged/)
    expect(await lostPairs(lab)).toEqual([])
  })

  test('a dead host can leave', async () => {
    await powerCut(lab.name, name.parse('node3'))
    lab.describe({ backend: { Type: 'vxlan' }, all: { hosts: { 'node[1:2]': null }, vars: { pods: 2 } } })
    expect(await lab.up()).toMatch(/- 1 deleted/)
    expect(await lab.on('node1', 'ip route show 10.244.3.0/24')).toBe('')
    expect(await lostPairs(lab)).toEqual([])
    expect(existsSync(`/run/overlab/${lab.name}/machines/node3`)).toBe(false)
  })

  test('destroy with a dead machine, and once more', async () => {
    await powerCut(lab.name, name.parse('node1'))
    for (const time of ['first', 'second']) {
      const { code, output } = await lab.overlab('destroy', '--yes', '--skip-preview')
      expect(code, `${time}: ${output}`).toBe(0)
    }
    expect(existsSync(`/run/overlab/${lab.name}`)).toBe(false)
  })
})

describe('on a machine of its own', () => {
  const inside = (file: string) => join(import.meta.dirname, 'support', file)

  test('destroy leaves nothing', async () => {
    say('destroy leaves nothing')
    const { code, printed } = await runInSandbox(inside('residue.ts'))
    expect(printed).toContain('nothing left over')
    expect(code).toBe(0)
  })

  test('a killed up is completed by the next one, and destroy leaves nothing', async () => {
    say('killed runs')
    const { code, printed } = await runInSandbox(inside('killed.ts'))
    expect(printed).toContain('nothing left over')
    expect(code).toBe(0)
  })
})
