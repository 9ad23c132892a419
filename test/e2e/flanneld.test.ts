/** The real flanneld and etcd in a lab: what they leave, what outlives them, and hosts without them beside them. */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadInventory } from '../../inventory/load.ts'
import { targets } from '../../machines/namespace.ts'
import { probe } from '../../modules/apply.ts'
import type { HostState } from '../../modules/state.ts'
import { planLab } from '../../overlay/plan.ts'
import { openSession } from '../../remote/session.ts'
import { makeLab, lostPairs, type TestLab } from './support/lab.ts'
import { makeProject, type Project } from './support/project.ts'

let project: Project
let lab: TestLab
const hosts = ['node1', 'node2', 'node3']

/** Three hosts with two pods each; those named are static, the others are flanneld's. */
function describeLab(backend: string, ...ours: string[]): void {
  lab.describe({
    backend: { Type: backend },
    all: {
      hosts: Object.fromEntries(
        hosts.map((host) => [host, ours.includes(host) ? { control: 'static' } : null]),
      ),
      vars: { pods: 2, control: 'flanneld' },
    },
  })
}

/** What every host's kernel holds, and what the inventory's plan says that it shall hold. */
async function held(): Promise<{ held: Record<string, HostState>; planned: Record<string, HostState> }> {
  const plan = planLab(loadInventory(`${project.folder}/${lab.file}`))
  const states: Record<string, HostState> = {}
  for (const target of await targets(lab.name)) {
    const session = await openSession(target)
    const host = plan.hosts[target.name]!
    try {
      states[host.name] = await probe(session, {
        desired: host.state,
        prior: {},
        facts: { nic: host.nic, iptables: host.iptables },
      })
    } finally {
      await session.close()
    }
  }
  return {
    held: states,
    planned: Object.fromEntries(Object.values(plan.hosts).map(({ name, state }) => [name, state])),
  }
}

/** The links that are not pods' or every machine's own. */
async function devices(): Promise<string[]> {
  const lists = await Promise.all(
    hosts.map((host) => lab.on(host, "ip -o link | cut -d' ' -f2 | cut -d: -f1 | grep -E '^flannel' || :")),
  )
  return lists.flatMap((text) => text.split('\n').filter(Boolean))
}

const deviceOf: Readonly<Record<string, string>> = { vxlan: 'flannel.1', udp: 'flannel0' }

/** The process of a unit that overlab started on a host; empty where there is none. */
function pidOf(host: string, unit: string): Promise<string> {
  return lab.on(
    host,
    `pid=$(cut -d' ' -f1 /run/overlab-services/${unit}/pid 2>/dev/null) && kill -0 "$pid" 2>/dev/null && echo "$pid" || :`,
  )
}

/** `node1 etcd`, ... of all that runs. */
async function running(): Promise<string[]> {
  const lines = await Promise.all(
    hosts.map((host) =>
      lab.on(
        host,
        `for name in etcd flanneld; do pgrep -f "^[^ ]*$name" >/dev/null && echo "${host} $name" || :; done`,
      ),
    ),
  )
  return lines.flatMap((text) => text.split('\n').filter(Boolean))
}

/** Bytes that TCP moves between two pods, of five million; 0 where it stalls. */
async function moves(from: string, to: string, address: string): Promise<number> {
  const host = (pod: string) => pod.replace(/-pod\d+$/, '')
  const server = await lab.on(
    host(to),
    `ip netns exec ${to} iperf3 -s -1 >/dev/null 2>&1 & echo $!; while ! ip netns exec ${to} ss -Hltn | grep -q :5201; do sleep 0.05; done`,
  )
  try {
    const json = await lab.on(
      host(from),
      `ip netns exec ${from} timeout 20 iperf3 -c ${address} -n 5M -J --connect-timeout 3000 || :`,
    )
    const { end } = JSON.parse(json) as { end?: { sum_received?: { bytes: number } } }
    return end?.sum_received?.bytes ?? 0
  } finally {
    await lab.on(host(to), `kill ${server} 2>/dev/null || :`)
  }
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
  test('flanneld on every host: all pods reach each other, and the kernels hold what is planned', async () => {
    describeLab(backend)
    await lab.up()
    expect(await lostPairs(lab)).toEqual([])
    expect(await running()).toEqual(['node1 etcd', ...hosts.map((host) => `${host} flanneld`)])
    const { held: kernels, planned } = await held()
    expect(kernels).toEqual(planned)
    expect(await devices()).toEqual(deviceOf[backend] ? hosts.map(() => deviceOf[backend]) : [])
    expect(await lab.up()).toMatch(/Resources:\n\s+\d+ unchanged/)
  })

  test('a killed flanneld is noticed, and up starts it again', async () => {
    const [pid, other] = await Promise.all([pidOf('node2', 'flanneld'), pidOf('node3', 'flanneld')])
    await lab.on('node2', `kill -9 ${pid}`)
    const { output } = await lab.overlab('refresh', '--yes', '--skip-preview')
    expect(output).toMatch(/^ +- 1 deleted$/m)
    // Its TUN device has taken the rows along.
    if (backend === 'udp') expect(output).toContain('routes["10.244.0.0/16"] is gone')
    await lab.up()
    expect(await pidOf('node2', 'flanneld')).toMatch(/^\d+$/)
    expect(await pidOf('node2', 'flanneld')).not.toBe(pid)
    expect(await pidOf('node3', 'flanneld')).toBe(other)
    expect(await lostPairs(lab)).toEqual([])
  })

  test('entries that are deleted under a flanneld are noticed, and up has it put them back', async () => {
    // flanneld makes a lost device anew, with another MAC and without entries.
    await lab.on(
      'node2',
      backend === 'vxlan'
        ? 'ip link delete flannel.1; until ip link show flannel.1 >/dev/null 2>&1; do sleep 0.1; done'
        : 'ip -4 route flush root 10.244.0.0/16 proto boot',
    )
    await lab.up()
    expect(await lostPairs(lab)).toEqual([])
    const { held: kernels, planned } = await held()
    expect(kernels).toEqual(planned)
  })

  test(`everything killed: ${backend === 'udp' ? 'no pod reaches another host' : 'no packet is lost'}`, async () => {
    const losses = await lab.underLoad(async () => {
      await lab.on('node1', 'sleep 1')
      for (const host of hosts)
        for (const unit of ['flanneld', 'etcd']) {
          const pid = await pidOf(host, unit)
          if (pid) await lab.on(host, `kill -9 ${pid}`)
        }
      await lab.on('node1', 'sleep 2')
    })
    expect(await running()).toEqual([])
    expect(losses).toHaveLength(6)
    for (const { sent, lost } of losses) {
      expect(sent).toBeGreaterThan(100)
      if (backend === 'udp') expect(lost).toBeGreaterThan(50)
      else expect(lost).toBe(0)
    }
    await lab.up()
    expect(await lostPairs(lab)).toEqual([])
    expect(await running()).toHaveLength(4)
  })

  test('one host static, the others by flanneld: all pods reach each other', async () => {
    describeLab(backend, 'node1')
    await lab.up()
    expect(await running()).toEqual(['node2 etcd', 'node2 flanneld', 'node3 flanneld'])
    expect(await lostPairs(lab)).toEqual([])
    // Ping alone would not show a wrong inner checksum.
    expect(await moves('node1-pod1', 'node2-pod1', '10.244.2.2')).toBeGreaterThan(1e6)
    expect(await moves('node2-pod2', 'node1-pod2', '10.244.1.3')).toBeGreaterThan(1e6)
    const { held: kernels, planned } = await held()
    expect(kernels).toEqual(planned)
    expect(await lab.up()).toMatch(/Resources:\n\s+\d+ unchanged/)
  })

  test('a key taken from etcd by hand is noticed, and up puts it back', async () => {
    const etcdctl = `ETCDCTL_API=3 etcdctl --endpoints=http://${lab.net}.2:2379`
    const key = '/coreos.com/network/subnets/10.244.1.0-24'
    await lab.on('node2', `${etcdctl} del ${key}`)
    // The peers' flannelds forget the host at once.
    await expect.poll(() => lostPairs(lab), { timeout: 60_000 }).not.toEqual([])
    const { output } = await lab.overlab('preview', '--diff')
    expect(output).toContain(key)
    await lab.up()
    expect(await lab.on('node2', `${etcdctl} get ${key} --print-value-only`)).toContain(`"${lab.net}.1"`)
    expect(await lostPairs(lab)).toEqual([])
  })

  test('all static: no process is left, and nothing of flanneld', async () => {
    describeLab(backend, ...hosts)
    await lab.up()
    expect(await running()).toEqual([])
    for (const host of hosts)
      expect(
        await lab.on(
          host,
          'ls -d /run/overlab-services /run/flannel /var/lib/overlab-etcd 2>/dev/null || :; ls /run/overlab/shared',
        ),
      ).toBe('')
    expect(await lostPairs(lab)).toEqual([])
    const { held: kernels, planned } = await held()
    expect(kernels).toEqual(planned)
    expect(await devices()).toEqual(backend === 'vxlan' ? hosts.map(() => 'flannel.1') : [])
    for (const host of hosts)
      expect(await lab.on(host, 'ip -4 route show root 10.244.0.0/16 proto boot')).toBe('')
    expect(await lab.up()).toMatch(/Resources:\n\s+\d+ unchanged/)
  })

  test('and back to flanneld', async () => {
    describeLab(backend)
    await lab.up()
    expect(await lostPairs(lab)).toEqual([])
    const { held: kernels, planned } = await held()
    expect(kernels).toEqual(planned)
    expect(await devices()).toEqual(deviceOf[backend] ? hosts.map(() => deviceOf[backend]) : [])
  })
})
