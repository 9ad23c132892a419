/** Machines that restore their data plane by themselves: a reboot, a power cut, a network manager, a link that goes down. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { powerOf, type Power } from '../../experiments/power.ts'
import { loadInventory } from '../../inventory/load.ts'
import { restoredAtBoot } from '../../modules/boot.ts'
import { bootPaths, wishes } from '../../modules/boot/files.ts'
import { planLab } from '../../overlay/plan.ts'
import { makeLab, say, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

const hosts = ['node1', 'node2'] as const
const all = { hosts: { 'node[1:2]': { machine: 'qemu' } }, vars: { pods: 1 } }
/** Times that an emulated CPU on a busy machine may need, in seconds; nothing is said of how long it should. */
const patience = 240

let project: Project
let lab: TestLab

beforeAll(async () => {
  project = makeProject()
  lab = await makeLab(project, { backend: { Type: 'vxlan' }, all })
  await lab.up()
})
afterAll(async () => {
  try {
    await lab.destroy()
  } finally {
    project.remove()
  }
})

/** The qemu process begins anew on the VM's disk; nobody but the VM itself does anything else. */
function plugOf(host: string): Power {
  const inventory = loadInventory(join(project.folder, lab.file))
  return powerOf({ inventory, plan: planLab(inventory) }, host)
}

/** Until the first pod of `from` has an answer from that of `to`, asked every second. */
async function firstAnswer(from: string, to: string): Promise<void> {
  const number = to.replace(/\D/g, '')
  for (const end = Date.now() + patience * 1000; ;) {
    try {
      return void (await lab.inPod(
        `${from}-pod1`,
        `end=$(($(date +%s) + 20)); until ping -c 1 -W 1 10.244.${number}.2 >/dev/null; do [ $(date +%s) -lt $end ]; done`,
      ))
    } catch (error) {
      if (Date.now() > end) throw error
    }
  }
}

/** What the hosts hold and what is written on their disks is as Pulumi knows it. */
async function nothingDiffers(): Promise<void> {
  const { code, output } = await lab.overlab('refresh', '--yes', '--skip-preview', '--expect-no-changes')
  expect(code, output).toBe(0)
}

const bootId = (host: string) => lab.on(host, 'cat /proc/sys/kernel/random/boot_id')

describe.each([
  ['vxlan', 'reboot', ['node1']],
  ['host-gw', 'power cut', ['node1', 'node2']],
  ['udp', 'reboot', ['node1', 'node2']],
] as const)('%s', (Type, event, gone) => {
  test(`${event} of ${gone.join(' and ')}: pods answer by themselves`, async () => {
    lab.describe({ backend: { Type }, all })
    await lab.up()
    expect(await lab.on('node1', 'systemctl is-enabled overlab')).toBe('enabled')
    const before = await Promise.all(hosts.map(bootId))
    const start = performance.now()
    const since = () => ((performance.now() - start) / 1000).toFixed(1)
    if (event === 'reboot') {
      await Promise.all(gone.map((host) => lab.on(host, 'nohup sh -c "sleep 1; reboot" >/dev/null 2>&1 &')))
      // Until it is gone: an answer of the old kernel would be none.
      await expect
        .poll(() => bootId(gone[0]).catch(() => before[0]), { timeout: patience * 1000, interval: 500 })
        .not.toBe(before[0])
    } else {
      const plugs = gone.map(plugOf)
      await Promise.all(plugs.map((plug) => plug.cut()))
      await Promise.all(plugs.map((plug) => plug.on()))
    }
    const ssh = since()
    await firstAnswer('node2', 'node1')
    say(
      `${Type}, ${event} of ${gone.length} of 2 VMs: SSH after ${ssh} s, first answer of a pod after ${since()} s`,
    )
    await firstAnswer('node1', 'node2')
    expect(await lab.on('node1', 'systemctl is-active overlab')).toBe('active')
    const after = await Promise.all(hosts.map(bootId))
    expect(after.map((boot, index) => boot !== before[index])).toEqual(
      hosts.map((host) => (gone as readonly string[]).includes(host)),
    )
    await nothingDiffers()
  })
})

const routes = 'ip -4 route show proto 79'

test('udp by FOU: the NIC takes nothing with it, the device its routes, and the unit puts them back', async () => {
  const wanted = await lab.on('node1', routes)
  expect(wanted).toMatch(/^10\.244\.2\.0\/24 via .* dev flannel0/)
  const flap = (link: string) => `ip link set ${link} down; ip link set ${link} up; ${routes}`
  expect(await lab.on('node1', flap('eth0'))).toBe(wanted)
  expect(await lab.on('node1', flap('flannel0'))).toBe('')
  expect(await lab.on('node1', `systemctl restart overlab; ${routes}`)).toBe(wanted)
})

describe('on a host whose network systemd-networkd manages', () => {
  // networkctl needs a D-Bus, which these VMs have not; this is the file that it reads.
  const restart = `systemctl stop systemd-networkd
    state=/run/systemd/netif/links/$(cat /sys/class/net/eth0/ifindex); rm -f $state
    systemctl start systemd-networkd
    for try in $(seq 120); do ! grep -qs '^ADMIN_STATE=configured' $state || exit 0; sleep 1; done
    cat $state; exit 1`
  let wanted: string

  beforeAll(async () => {
    lab.describe({ backend: { Type: 'host-gw' }, all })
    await lab.up()
    wanted = await lab.on('node1', routes)
    expect(wanted).toMatch(/^10\.244\.2\.0\/24 via /)
    await lab.on(
      'node1',
      `printf '[Match]\\nName=eth0\\n[Network]\\nAddress=%s\\nGateway=%s\\n' ${lab.net}.1/24 ${lab.net}.254 >/etc/systemd/network/50-eth0.network`,
    )
  })

  test('a restart of it takes the address and with it the routes; they are there again by themselves', async () => {
    for (const round of ['begun', 'again']) {
      await lab.on('node1', restart)
      await expect
        .poll(() => lab.on('node1', routes), { timeout: patience * 1000, interval: 1000 })
        .toBe(wanted)
      expect(
        await lab.on('node1', 'journalctl -u systemd-networkd | grep -c "eth0: Configuring with"'),
        round,
      ).toBe(round === 'begun' ? '1' : '2')
    }
    await nothingDiffers()
  })

  test('what keeps it from routes of others is told where it is gone, and put back', async () => {
    const dropIn = '/etc/systemd/networkd.conf.d/overlab.conf'
    await lab.on('node1', `rm ${dropIn}`)
    const { output } = await lab.overlab('refresh', '--yes', '--skip-preview')
    expect(output).toContain(
      `node1: boot["overlab.service"] was changed: ${restoredAtBoot.line} -> ${dropIn} is missing`,
    )
    await lab.up()
    expect(await lab.on('node1', `cat ${dropIn}`)).toContain('ManageForeignRoutes=no')
    await nothingDiffers()
  })

  test('links that go down and come up: what the kernel forgot is there again', async () => {
    await lab.on(
      'node1',
      'for link in eth0 cni0; do ip link set $link down; ip link set $link up; done; systemctl restart overlab',
    )
    expect(await lab.on('node1', routes)).toBe(wanted)
    await firstAnswer('node2', 'node1')
    await nothingDiffers()
  })

  test('a lab that is told not to persist leaves nothing on the disk', async () => {
    lab.describe({ backend: { Type: 'host-gw' }, all: { ...all, vars: { pods: 1, persist: false } } })
    await lab.up()
    const paths = [...wishes, '/etc/overlab', ...bootPaths].join(' ')
    expect(await lab.on('node1', `for path in ${paths}; do [ ! -e $path ] || echo $path; done`)).toBe('')
    expect(await lab.on('node1', 'systemctl is-active overlab || :')).toBe('inactive')
    await firstAnswer('node2', 'node1')
  })
})
