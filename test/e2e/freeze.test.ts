/** A lab under the real flanneld is frozen, taken over while its pods talk, left without any daemon, and given back. */
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { difference } from './fingerprint.ts'
import { dumpAll } from './support/kernel-dump.ts'
import { lostPairs, makeLab, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

let project: Project
let lab: TestLab
const hosts = ['node1', 'node2', 'node3']
const frozenFile = () => lab.file.replace('.yaml', '-frozen.yaml')

async function config(...words: string[]): Promise<void> {
  const { code, output } = await lab.pulumi('config', ...words)
  if (code !== 0) throw new Error(output)
}

interface Frozen {
  readonly written: boolean
  readonly etcd: { readonly read: boolean }
  readonly hosts: readonly {
    readonly name: string
    readonly subnet: string
    readonly vtepMac?: string
    readonly pins: object
    readonly takeover: { readonly marks: number; readonly changes: readonly { readonly table: string }[] }
  }[]
}

async function freeze(...words: string[]): Promise<Frozen> {
  const { code, stdout, output } = await lab.overlab('freeze', '--json', ...words)
  if (code !== 0) throw new Error(`overlab freeze: exit ${code}\n${output}`)
  return JSON.parse(stdout) as Frozen
}

/** Ends every flanneld and etcd with kill -9, whoever started it. */
async function killAll(): Promise<void> {
  for (const host of hosts) await lab.on(host, "pkill -9 '^(flanneld|etcd)' || :")
}

async function daemons(): Promise<string[]> {
  const lists = await Promise.all(hosts.map((host) => lab.on(host, "pgrep -l '^(flanneld|etcd)' || :")))
  return lists.flatMap((text) => text.split('\n').filter(Boolean))
}

/** All that the kernels hold, but for who put it there. */
async function held(): Promise<string[]> {
  const lines = await dumpAll(lab, hosts)
  return lines.map((line) => line.replace(/ proto (79|boot)\b/, '').replace(/\s*\\?\s*alias overlab/, ''))
}

beforeAll(async () => {
  project = makeProject()
  lab = await makeLab(project, { backend: { Type: 'vxlan' } })
})
afterAll(async () => {
  try {
    await lab?.destroy()
    expect(existsSync(`/run/overlab/${lab.name}`)).toBe(false)
  } finally {
    project?.remove()
  }
})

describe.each(['vxlan', 'host-gw', 'udp'])('%s', (backend) => {
  const isUdp = backend === 'udp'
  const anotherMac = '02:00:00:00:00:42'

  beforeAll(async () => {
    lab.describe({
      backend: { Type: backend },
      all: { hosts: { 'node[1:3]': null }, vars: { pods: 2, control: 'flanneld' } },
    })
    await config('set', 'inventory', lab.file)
    await config('rm', 'control')
    await lab.up()
  })

  // The other backends have no VTEP.
  if (backend === 'vxlan')
    test('a VTEP with another MAC than planned is frozen with that one', async () => {
      // As after a reboot without overlab: flanneld finds another device, and tells its peers the new MAC.
      await lab.on(
        'node2',
        `pkill -9 '^flanneld'; ip link set flannel.1 address ${anotherMac}
       flanneld=$(ls /run/overlab/shared/flanneld-*)
       setsid $flanneld --iface=eth0 --etcd-endpoints=http://${lab.net}.1:2379 --ip-masq --subnet-file=/run/flannel/subnet.env >/tmp/flanneld.log 2>&1 </dev/null &
       for n in $(seq 200); do [ "$(ip -4 neigh show dev flannel.1 nud permanent | wc -l)" -ge 2 ] && break; sleep 0.1; done`,
      )
      for (const host of ['node1', 'node3'])
        await lab.on(
          host,
          `for n in $(seq 200); do ip -4 neigh show dev flannel.1 | grep -q ${anotherMac} && break; sleep 0.1; done
         old=$(bridge fdb show dev flannel.1 | grep ' dst ${lab.net}.2 ' | grep -v ${anotherMac} | cut -d' ' -f1)
         bridge fdb del $old dev flannel.1 dst ${lab.net}.2 self`,
        )
      expect(await lostPairs(lab)).toEqual([])
      const { hosts: found } = await freeze('--check')
      expect(found.map(({ pins }) => pins)).toEqual([{}, { vtep_mac: anotherMac }, {}])
      expect(existsSync(`${project.folder}/${frozenFile()}`)).toBe(false)
    })

  test('freeze writes what holds the network, from the kernels alone where etcd is dead', async () => {
    const first = await freeze('--force')
    expect([first.written, first.etcd.read]).toEqual([true, true])
    await lab.on('node1', "pkill -9 '^etcd'")
    const second = await freeze()
    expect([second.written, second.etcd.read]).toEqual([false, false])
    const tables = new Set(second.hosts.flatMap(({ takeover }) => takeover.changes.map(({ table }) => table)))
    expect([...tables].sort()).toEqual(isUdp ? ['filters', 'peers', 'routes'] : [])
    expect(second.hosts.map(({ subnet }) => subnet)).toEqual(
      [1, 2, 3].map((number) => `10.244.${number}.0/24`),
    )
    expect(readFileSync(`${project.folder}/${frozenFile()}`, 'utf8')).toContain('control: static')
  })

  test('taken over, and every daemon that is left killed', async () => {
    const before = await held()
    const losses = await lab.underLoad(async () => {
      await config('set', 'inventory', frozenFile())
      await lab.up()
      await killAll()
      await lab.on('node1', 'sleep 2')
    })
    console.log(
      losses.map(({ pair, sent, lost }) => `${backend} ${pair}: ${lost} of ${sent} lost`).join('\n'),
    )
    expect(await daemons()).toEqual([])
    expect(losses).toHaveLength(6)
    for (const { sent, lost } of losses) {
      expect(sent).toBeGreaterThan(200)
      // For udp the datapath is another one; see docs/control.md.
      expect(lost).toBeLessThanOrEqual(isUdp ? 20 : 0)
    }
    if (!isUdp) expect(difference(before, await held())).toEqual([])
    expect(await lostPairs(lab)).toEqual([])
    expect(await lab.up()).toMatch(/Resources:\n\s+\d+ unchanged/)
    const { code, output } = await lab.overlab('freeze')
    expect(code).toBe(1)
    expect(output).toContain('there is nothing to freeze')
  })

  test('and given back to flanneld', async () => {
    await config('set', 'control', 'flanneld')
    const losses = await lab.underLoad(() => lab.up())
    console.log(
      losses.map(({ pair, sent, lost }) => `${backend} ${pair}: ${lost} of ${sent} lost`).join('\n'),
    )
    if (!isUdp) for (const { lost } of losses) expect(lost).toBe(0)
    expect(await daemons()).toHaveLength(4)
    expect(await lostPairs(lab)).toEqual([])
  })
})

test('a lease of a host that nobody knows is named, and nothing is written', async () => {
  const key = '/coreos.com/network/subnets/10.244.9.0-24'
  const etcdctl = `ETCDCTL_API=3 etcdctl --endpoints=http://${lab.net}.1:2379`
  await lab.on('node1', `${etcdctl} put ${key} '{"PublicIP":"${lab.net}.9","PublicIPv6":null}'`)
  const { code, output } = await lab.overlab('freeze', '--output', 'inventory/other.yaml')
  expect(code).toBe(1)
  expect(output).toContain(`etcd: ${key}: ${lab.net}.9 is no host of the inventory`)
  expect(existsSync(`${project.folder}/inventory/other.yaml`)).toBe(false)
})
