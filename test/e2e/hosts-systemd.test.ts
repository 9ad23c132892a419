/**
 * A server with systemd, a VM that overlab did not make, beside one without: a change that cuts the way to them while
 * it stands is undone by the timer of each, and they are reached again. And udp by what each of their kernels has.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootPaths, wishes } from '../../modules/boot/files.ts'
import { difference } from './fingerprint.ts'
import { makeServers, type Servers } from './hosts/servers.ts'
import { dumpAll } from './support/kernel-dump.ts'
import { lostPairs, makeLab, type LabForm, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

let servers: Servers
let project: Project
let lab: TestLab
let form: (backend: string) => LabForm

/** Seconds: an emulated CPU takes some for a new connection. */
const confirm = 15

beforeAll(async () => {
  const net = `10.${210 + (process.pid % 6)}.${process.pid % 250}`
  servers = await makeServers(`systemd${process.pid}`, net, ['qemu', 'namespace'])
  project = makeProject()
  const { key, knownHosts, port } = servers
  form = (backend) => ({
    backend: { Type: backend },
    underlay: `${net}.0/24`,
    all: {
      hosts: {
        web1: { address: `${net}.1` },
        web2: { address: `${net}.2`, ssh_user: 'ops', become: true },
      },
      vars: {
        machine: 'ssh',
        ssh_port: port,
        ssh_key: key,
        ssh_known_hosts: knownHosts,
        confirm: `${confirm}s`,
      },
    },
  })
  lab = await makeLab(project, form('vxlan'))
})
afterAll(async () => {
  await lab?.overlab('destroy', '--yes', '--skip-preview')
  await servers?.remove()
  project?.remove()
})

test('a change that cuts the way is undone by the host, and the next up makes it', async () => {
  const before = await dumpAll(servers, servers.names)
  // For as long as the change stands nobody gets in, in the middle of it from that moment on.
  const rule = `INPUT -p tcp --dport ${servers.port} -j DROP`
  const cut = (server: string) =>
    servers.on(
      server,
      `nohup sh -c 'until ip link show flannel.1; do sleep 0.05; done; iptables -I ${rule}
         while ip link show flannel.1; do sleep 0.2; done; iptables -D ${rule}' >/dev/null 2>&1 </dev/null &`,
    )
  await Promise.all(servers.names.map(cut))
  const { code, output } = await lab.overlab('up', '--yes', '--skip-preview')
  expect(code, output).not.toBe(0)
  expect(output).toContain('0 of 2 hosts are finished')
  // Whether it is about to, or has done it when overlab gets in again.
  for (const server of servers.names)
    expect(output).toMatch(new RegExp(`\\* ${server}: [^*]*(undoes|undone) [^*]*by itself`))
  for (const server of servers.names)
    await servers.on(
      server,
      `tries=0; until [ -e /run/overlab-host/undone ]; do tries=$((tries + 1)); [ $tries -lt 120 ]; sleep 0.5; done
       tries=0; while iptables -C ${rule} 2>/dev/null; do tries=$((tries + 1)); [ $tries -lt 120 ]; sleep 0.5; done`,
    )
  expect(await servers.on('web1', 'journalctl -o cat --no-pager -u "overlab-undo-*.timer"')).toContain(
    'overlab-undo',
  )
  expect(difference(before, await dumpAll(servers, servers.names))).toEqual([])

  await lab.up()
  for (const server of servers.names)
    expect(await servers.on(server, 'ip -br link show flannel.1; ls /run/overlab-host')).toMatch(
      /^flannel\.1 [^]*owner\n/,
    )
  expect(await servers.on('web1', 'systemctl list-units --all --no-legend "overlab-undo*"')).toBe('')
})

test('after a reboot it has its data plane, knows whose that is, and what its settings were', async () => {
  const bootId = () => servers.on('web1', 'cat /proc/sys/kernel/random/boot_id').catch(() => '')
  const state = () =>
    servers.on(
      'web1',
      'ip -br link show flannel.1; ip route show proto 79; cat /run/overlab-host/owner; grep -H . /run/overlab-host/was:*',
    )
  const [before, id] = [await state(), await bootId()]
  expect(before).toContain('/run/overlab-host/was:net:ipv4:ip_forward:0')
  await servers.on('web1', 'nohup sh -c "sleep 1; reboot" >/dev/null 2>&1 </dev/null &')
  await expect.poll(bootId, { timeout: 240_000, interval: 500 }).toMatch(/^(?!$)/)
  await expect.poll(async () => (await bootId()) || id, { timeout: 240_000, interval: 500 }).not.toBe(id)
  await expect
    .poll(() => servers.on('web1', 'systemctl is-active overlab || :'), { timeout: 60_000 })
    .toBe('active')
  expect(await state()).toBe(before)
  expect(await lab.up()).not.toMatch(/updated/)
})

test('fou is found where the kernel has it, taken over when the state is lost, and goes', async () => {
  const ports = () => servers.on('web1', 'ip fou show; ip -br link show type ipip')
  lab.describe(form('udp'))
  await lab.up()
  expect(await ports()).toMatch(/port 8285 ipproto 4\n[^]*flannel0@eth0 /)
  expect((await lab.overlab('plan', 'web1')).stdout).toContain('datapath fou (auto: its kernel has fou')
  for (const words of [
    ['stack', 'rm', lab.stack, '--force', '--yes', '--preserve-config'],
    ['stack', 'init', lab.stack, '--no-select'],
    ['config', 'set', 'inventory', lab.file],
  ])
    expect(await lab.pulumi(...words)).toMatchObject({ code: 0 })
  await lab.up()
  expect((await lostPairs(lab)).filter((pair) => / 0 of |no pairs/.test(pair))).toEqual([])
  const { code, output } = await lab.overlab('destroy', '--yes', '--skip-preview')
  expect(code, output).toBe(0)
  expect(await ports()).not.toMatch(/8285|flannel0/)
  expect(await servers.on('web1', 'ls /run')).not.toContain('overlab-host')
  const paths = [...wishes, ...bootPaths].join(' ')
  expect(await servers.on('web1', `for path in ${paths}; do [ ! -e $path ] || echo $path; done`)).toBe('')
})
