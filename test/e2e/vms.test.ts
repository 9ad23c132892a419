/** VMs under qemu: three of them through all backends, a power cut, a hang, and beside a machine made of namespaces. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lostPairs, makeLab, say, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

const vms = { 'node[1:3]': { machine: 'qemu' } }
const forms = (hosts: object) => ({ hosts, vars: { pods: 1 } })
let project: Project

beforeAll(() => {
  project = makeProject()
})

afterAll(() => project.remove())

/**
 * Pairs of which none of three looks saw one answer. An emulated CPU on a busy machine answers some pings later than
 * `overlab ping` waits, which says nothing of the overlay.
 */
async function unreached(lab: TestLab): Promise<string[]> {
  let silent: string[] | undefined
  for (let look = 0; look < 3 && silent?.length !== 0; look++) {
    const now = (await lostPairs(lab)).filter((pair) => / 0 of |no pairs/.test(pair))
    silent = silent?.filter((pair) => now.includes(pair)) ?? now
  }
  return silent ?? []
}

/** The process that is a machine. */
function pidOf(lab: TestLab, host: string): number {
  return Number(readFileSync(`/run/overlab/${lab.name}/machines/${host}/pid`, 'utf8').split(' ')[0])
}

describe('three VMs', () => {
  let lab: TestLab
  const boots = async () =>
    Promise.all(
      ['node1', 'node2', 'node3'].map((host) => lab.on(host, 'cat /proc/sys/kernel/random/boot_id')),
    )

  beforeAll(async () => {
    lab = await makeLab(project, { backend: { Type: 'vxlan' }, all: forms(vms) })
  })
  afterAll(() => lab.destroy())

  test('from nothing to a lab in which all reach all, each on a kernel of its own', async () => {
    const start = performance.now()
    const printed = await lab.up()
    say(`three VMs with vxlan: ${((performance.now() - start) / 1000).toFixed(1)} s`)
    expect(printed).toMatch(/booting \((KVM|TCG): .+\)/)
    expect(await unreached(lab)).toEqual([])
    expect(await lab.on('node1', 'uname -r; cat /proc/1/comm')).toMatch(/-cloud-amd64\nsystemd$/)
    expect(await lab.on('node1', 'uname -r')).not.toBe(release())
    expect(await lab.on('node2', 'systemctl --failed --no-legend')).toBe('')
    for (const host of ['node1', 'node2', 'node3']) {
      const status = readFileSync(`/proc/${pidOf(lab, host)}/status`, 'utf8')
      const mebibytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024
      say(`${host}: ${mebibytes.toFixed(0)} MiB`)
      expect(mebibytes).toBeLessThan(300)
    }
  })

  test.each([
    ['host-gw', /^10\.244\.2\.0\/24 via [\d.]+ dev eth0 /m, 1500],
    ['udp', /^10\.244\.2\.0\/24 via [\d.]+ dev flannel0 /m, 1472],
  ])('the same VMs by %s', async (Type, route, mtu) => {
    const before = await boots()
    lab.describe({ backend: { Type }, all: forms(vms) })
    await lab.up()
    expect(await boots()).toEqual(before)
    expect(await lab.on('node1', 'ip -d link show flannel.1 2>&1 || echo gone')).toContain('gone')
    expect(await lab.on('node1', 'ip route')).toMatch(route)
    expect(await lab.inPod('node1-pod1', 'cat /sys/class/net/eth0/mtu')).toBe(String(mtu))
    expect(await unreached(lab)).toEqual([])
  })

  test('one that died and one that hangs are noticed, and come back with their disks', async () => {
    await lab.on('node2', 'echo kept >/root/kept; sync')
    const before = await boots()
    process.kill(pidOf(lab, 'node2'), 'SIGKILL')
    process.kill(pidOf(lab, 'node3'), 'SIGSTOP')
    const { code, output } = await lab.overlab('refresh', '--yes', '--skip-preview', '--diff')
    expect(code, output).toBe(0)
    expect(output).toMatch(/node2\][\s\S]*running: true => false/)
    expect(output).toMatch(/node3\][\s\S]*running: true => false/)
    // Without another look, which waits for the one that hangs.
    await lab.up('--refresh=false')
    expect(await lab.on('node2', 'cat /root/kept')).toBe('kept')
    const after = await boots()
    expect(after.map((boot, index) => boot === before[index])).toEqual([true, false, false])
    expect(await unreached(lab)).toEqual([])
  })

  test('a machine of namespaces joins, a VM makes room for it, another one gets more memory', async () => {
    const mixed = {
      node1: { machine: 'qemu' },
      node2: { machine: 'qemu', memory: 320, disk: 3 },
      node4: { machine: 'namespace' },
    }
    lab.describe({ backend: { Type: 'vxlan' }, all: forms(mixed) })
    expect((await lab.overlab('preview')).output).toContain(
      'node2 is restarted, as by a power cut, on its disk: for memory, disk',
    )
    const printed = await lab.up()
    expect(printed).toMatch(/\+\s+overlab:index:Machine \S+-node4 created/)
    expect(printed).toMatch(/-\s+overlab:index:Machine \S+-node3 deleted/)
    expect(existsSync(`/var/lib/overlab/${lab.name}/node3`)).toBe(false)
    expect(await unreached(lab)).toEqual([])
    expect(await lab.on('node4', 'uname -r')).toBe(release())
    expect(await lab.on('node2', 'cat /root/kept; df -BG --output=size / | tail -n 1')).toMatch(
      /^kept\n *3G$/,
    )
    expect(await lab.up()).toMatch(/\d unchanged/)
    const boot = await lab.on('node2', 'cat /proc/sys/kernel/random/boot_id')
    lab.describe({
      backend: { Type: 'vxlan' },
      all: forms({ ...mixed, node2: { ...mixed.node2, disk: 2 } }),
    })
    const shrunk = await lab.overlab('up', '--yes', '--skip-preview')
    expect(shrunk.output).toContain('its disk has 3 GiB, and a disk can grow, not shrink to 2; set disk: 3')
    expect(await lab.on('node2', 'cat /proc/sys/kernel/random/boot_id')).toBe(boot)
  })

  test('destroy leaves nothing', async () => {
    const pids = ['node1', 'node2'].map((host) => pidOf(lab, host))
    const { code, output } = await lab.overlab('destroy', '--yes', '--skip-preview')
    expect(code, output).toBe(0)
    for (const path of [`/run/overlab/${lab.name}`, `/var/lib/overlab/${lab.name}`])
      expect(existsSync(path), path).toBe(false)
    // Of a process that has ended and that nobody has asked for yet, no words are left.
    for (const pid of pids) {
      const words = existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : ''
      expect(words).not.toContain('qemu')
    }
    expect(execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' })).not.toContain(lab.name)
  })
})

test('an image that does not boot: its console is quoted, the others are finished, and the next up goes on', async () => {
  const hosts = { node1: { machine: 'qemu', image: 'empty.img' }, node2: null, node3: null }
  const lab = await makeLab(project, { backend: { Type: 'vxlan' }, all: forms(hosts) })
  try {
    const image = join(project.folder, 'inventory/empty.img')
    writeFileSync(image, '')
    truncateSync(image, 2 ** 20)
    const { code, output } = await lab.overlab('up', '--yes', '--skip-preview')
    expect(code).not.toBe(0)
    expect(output).toMatch(/node1: boot: the VM does not boot; its console ends with/)
    expect(output).toContain('No bootable device')
    expect(output).toContain('2 of 3 hosts are finished')
    expect(await lab.inPod('node2-pod1', 'ping -c 3 -i 0.2 -W 5 10.244.3.2')).toContain(' 0% packet loss')
    // It is tried again, and told again; what is finished stays.
    const again = await lab.overlab('up', '--yes', '--skip-preview')
    expect(again.code).not.toBe(0)
    expect(again.output).toContain('No bootable device')
    lab.describe({ backend: { Type: 'vxlan' }, all: forms({ ...hosts, node1: null }) })
    await lab.up()
    expect(await unreached(lab)).toEqual([])
  } finally {
    await lab.destroy()
  }
  expect(existsSync(`/var/lib/overlab/${lab.name}`)).toBe(false)
})
