/** Links that another program fills, and rows that it made and overlab takes over. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { applyChanges, diffState, probe, type HostPlan } from '../../modules/apply.ts'
import { handedOver } from '../../modules/lent.ts'
import { phases } from '../../modules/module.ts'
import type { HostState } from '../../modules/state.ts'
import { planLab } from '../../overlay/plan.ts'
import { hostsOf, inventoryOf } from '../support/inventory.ts'
import { localSession, type LocalSession } from '../support/local-session.ts'

const { state } = planLab(inventoryOf({ hosts: hostsOf(3) })).hosts['node1']!
const desired: HostState = {
  links: { 'flannel.1': state.links!['flannel.1']! },
  addresses: { '10.244.1.0/32 dev flannel.1': 'scope global' },
  neighbours: state.neighbours!,
  fdb: state.fdb!,
  routes: state.routes!,
}
const device: HostState = { links: desired.links! }
const facts = { nic: 'eth0', iptables: 'auto' } as const

let session: LocalSession
beforeAll(async () => {
  session = await localSession()
})
afterAll(() => session?.remove())

async function up(plan: HostPlan): Promise<string[]> {
  const held = await probe(session, plan)
  const desired = plan.left ? handedOver(plan.desired, plan.left, held) : plan.desired
  const changes = diffState(held, desired)
  await applyChanges(session, changes, { ...plan, desired }, phases)
  return changes.map(({ op, table, key }) => `${op} ${table} ${key}`)
}

/** As flanneld does: no mark of overlab's on anything. */
const byAnother = `
ip addr add 10.244.1.0/32 dev flannel.1
ip neigh replace 10.244.2.0 lladdr 02:00:00:00:00:02 dev flannel.1 nud permanent
bridge fdb append 02:00:00:00:00:02 dev flannel.1 dst 192.168.77.2 self permanent
ip route add 10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
ip route add 10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink`

/** How many routes and neighbours have overlab's number. */
async function marks(): Promise<{ routes: number; neighbours: number }> {
  const count = async (command: string) => Number(await session.sh(`${command} | grep -c 'proto 79' || :`))
  return {
    routes: await count('ip -4 route show'),
    neighbours: await count('ip -4 neigh show nud permanent'),
  }
}

it('what is on a link that is lent is left alone; what is on one of its own is not', async () => {
  const lent = { desired: device, prior: {}, facts: { ...facts, lent: ['flannel.1'] } }
  expect(await up(lent)).toEqual(['add links flannel.1'])
  await session.sh(byAnother)
  expect(await up({ ...lent, prior: device })).toEqual([])
  expect(await probe(session, { ...lent, prior: device })).toEqual(device)
  const own = await probe(session, { desired: device, prior: device, facts })
  expect(own.fdb).toEqual({ '02:00:00:00:00:02 dev flannel.1': 'dst 192.168.77.2' })
})

it('rows that are as wanted get the mark when they are claimed, and only then', async () => {
  const plan = { desired, prior: device, facts }
  const changes = diffState(await probe(session, plan), desired)
  expect(changes.filter(({ table }) => table === 'routes')).toEqual([])
  expect(await up({ ...plan, facts: { ...facts, claim: true } })).toEqual(
    expect.arrayContaining(['change routes 10.244.2.0/24', 'change routes 10.244.3.0/24']),
  )
  expect(await marks()).toEqual({ routes: 2, neighbours: 2 })
  expect(await up({ desired, prior: desired, facts: { ...facts, claim: true } })).toEqual([])
})

it('a device that another made gets the alias in place, and keeps what is on it', async () => {
  await session.sh("ip link set flannel.1 alias ''")
  const claim = { desired, prior: {}, facts: { ...facts, claim: true } }
  expect(await up(claim)).toEqual(['change links flannel.1'])
  expect(await session.sh('ip link show flannel.1')).toContain('alias overlab')
  expect(await up(claim)).toEqual([])
})

it('rows that are left for another program stay as they are and lose the mark; the others go', async () => {
  await session.sh('ip route add 10.244.9.0/24 via 10.244.2.0 dev flannel.1 onlink proto 79')
  const seen = async () =>
    session.sh('ip -4 route show; ip -4 neigh show nud permanent; bridge fdb show dev flannel.1')
  const before = await seen()
  const lent = { ...facts, lent: ['flannel.1'] }
  const hand = { desired: device, prior: desired, facts: lent, left: desired }
  expect(await up(hand)).toEqual([
    'change neighbours 10.244.2.0 dev flannel.1',
    'change neighbours 10.244.3.0 dev flannel.1',
    'change routes 10.244.2.0/24',
    'change routes 10.244.3.0/24',
    'delete routes 10.244.9.0/24',
  ])
  expect(await marks()).toEqual({ routes: 0, neighbours: 0 })
  const plain = (text: string) =>
    text
      .split('\n')
      .filter((line) => !line.startsWith('10.244.9.0'))
      .map((line) => line.replace(/ proto \w+/, '').trim())
  expect(plain(await seen())).toEqual(plain(before))
  // Overlab has no row there any more, and so takes none away.
  expect(await up({ desired: device, prior: device, facts: lent })).toEqual([])
})
