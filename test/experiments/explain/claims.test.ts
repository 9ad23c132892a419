/**
 * What follows from facts that a real lab gave (facts/NUMBER.json: a vxlan lab, and labs of all other variants), and
 * from the same with one thing changed: each claim can be refuted, and none is written down beforehand.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { claim, verdictOf, type Claim } from '../../../experiments/explain/claim.ts'
import { claimsOfDeaths } from '../../../experiments/explain/daemon-killed.ts'
import { claimsOfQueries } from '../../../experiments/explain/etcd-queries.ts'
import { claimsOfMappings } from '../../../experiments/explain/iptables-mappings.ts'
import { claimsOfFinding } from '../../../experiments/explain/kernel-finds.ts'
import { claimsOfSending } from '../../../experiments/explain/outer-addresses.ts'
import { claimsOfLookup } from '../../../experiments/explain/peer-lookup.ts'
import { claimsOfCaching } from '../../../experiments/explain/route-cache.ts'
import { claimsOfTables } from '../../../experiments/explain/routing-tables.ts'
import { judged } from '../../../experiments/explain/text.ts'

/** By question. Facts are read as they were written. */
const judges = {
  1: claimsOfSending,
  2: claimsOfLookup,
  3: claimsOfDeaths,
  4: claimsOfFinding,
  5: claimsOfCaching,
  6: claimsOfMappings,
  7: claimsOfQueries,
  8: claimsOfTables,
} as unknown as Readonly<Record<string, (facts: unknown) => Claim[]>>

const recorded = (number: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'facts', `${number}.json`), 'utf8'))

/** A copy with another value at a place: `0.found.wire`. */
function changed(facts: unknown, place: string, value: unknown): unknown {
  const copy = structuredClone(facts)
  const keys = place.split('.')
  const last = keys.pop()!
  const inner = keys.reduce<Record<string, unknown>>(
    (of, key) => of[key] as Record<string, unknown>,
    copy as Record<string, unknown>,
  )
  if (!(last in inner) && last !== 'notMeasured') throw new Error(`there is no ${place}`)
  inner[last] = value
  return copy
}

const none = { sent: 5, received: 0 }
const all = { sent: 5, received: 5 }
const unsent = { sent: 0, received: 0 }
const dead = { pairs: 6, sent: 4000, lost: 2600, outageMs: 4100, talking: 0 }
const alive = { pairs: 6, sent: 4000, lost: 0, outageMs: 0, talking: 6 }
const nics = ['10.103.2.1', '10.103.2.2']
const pods = ['10.244.1.2', '10.244.2.2']

/** Question, what is otherwise, and how the claim begins that it refutes. */
const refuting: readonly (readonly [string, string, unknown, string])[] = [
  ['1', '0.found.wire.left', [pods], 'vxlan: the outer header'],
  ['1', '0.found.wire.left', [['10.244.1.0', '10.244.2.0'], pods], 'vxlan: the outer header'],
  ['1', '0.found.wire.arrived', [['192.0.2.1', '10.103.2.2'], pods], 'vxlan: the outer header'],
  ['1', '0.found.wire.left', [['10.244.1.0', '10.244.2.0'], pods], 'vxlan: the tunnel device'],
  ['1', '0.found.wire.arrived', [nics, ['10.103.2.1', '10.244.2.2']], 'vxlan: the inner header'],
  ['1', '0.found.firewall.nics', all, 'vxlan: a firewall'],
  ['1', '0.found.firewall.pods', none, 'vxlan: a firewall'],
  ['1', '0.found.firewall.afterwards', none, 'vxlan: a firewall'],
  ['1', '0.found.firewall.nics', unsent, 'vxlan: a firewall'],
  ['1', '1.found.wire.left', [nics, pods], 'host-gw: there is no outer header'],
  ['1', '1.found.firewall.pods', all, 'host-gw: a firewall'],
  ['1', '1.found.firewall.nics', none, 'host-gw: a firewall'],
  ['1', '2.found.wire.left', [pods], 'udp: the outer header'],
  ['1', '2.found.wire.arrived', [['192.168.189.1', '192.168.189.2'], nics], 'udp: the inner header'],
  ['2', '0.found.entries.0.far', all, 'vxlan: without its route'],
  ['2', '0.found.entries.1.other', none, 'vxlan: without its neighbour'],
  ['2', '0.found.entries.2.afterwards', none, 'vxlan: without its FDB entry'],
  ['2', '0.found.asked.pods', 3, 'vxlan: nobody on the wire'],
  ['2', '0.found.asked.pings', none, 'vxlan: nobody on the wire'],
  ['2', '1.found.entries.0.far', all, 'host-gw: without its route'],
  ['2', '1.found.asked.pods', 1, 'host-gw: nobody on the wire'],
  ['2', '2.found.entries.0.far', { sent: 5, received: 1 }, 'udp: without its row'],
  ['2', '2.found.asked.pods', 1, 'udp: nobody on the wire'],
  ['3', 'without.found.daemons', ['node2 kube-proxy'], 'vxlan: pods talk where no flanneld'],
  ['3', 'without.found.talk', dead, 'vxlan: pods talk where no flanneld'],
  ['3', 'killed.0.found.talk', dead, 'vxlan-flanneld: pods talk on'],
  ['3', 'killed.0.found.after', ['node3 flanneld'], 'vxlan-flanneld: pods talk on'],
  ['3', 'killed.0.found.before', [], 'vxlan-flanneld: pods talk on'],
  ['3', 'killed.0.found.changed', ['gone: host route: 10.244.2.0/24'], 'vxlan-flanneld: pods talk on'],
  ['3', 'killed.0.found.flushed', dead, 'vxlan-flanneld: nor is it a cache'],
  ['3', 'killed.1.found.talk', dead, 'host-gw-flanneld: pods talk on'],
  ['3', 'killed.1.found.flushed', dead, 'host-gw-flanneld: nor is it a cache'],
  ['3', 'killed.2.found.talk', alive, 'udp-flanneld: nobody talks'],
  ['3', 'killed.2.found.talk.talking', 1, 'udp-flanneld: nobody talks'],
  ['3', 'killed.2.found.after', ['node1 flanneld'], 'udp-flanneld: nobody talks'],
  ['3', 'killed.2.found.changed', [], 'udp-flanneld: its device'],
  ['4', '0.found.daemons', ['node1 flanneld'], 'vxlan: a packet finds'],
  ['4', '0.found.arrived', false, 'vxlan: a packet finds'],
  ['4', '0.found.decisions', [], 'vxlan: every decision'],
  ['4', '0.found.without.arrived', true, 'vxlan: one entry less'],
  ['4', '0.found.without.afterwards', false, 'vxlan: one entry less'],
  ['4', '1.found.daemons', ['node1 etcd'], 'vxlan-flanneld: a packet finds'],
  ['4', '1.found.decisions', [], 'vxlan-flanneld: every decision'],
  ['4', '1.found.without.arrived', true, 'vxlan-flanneld: one entry less'],
  ['5', 'cached.listed', 1, 'node1 has no cached route'],
  ['5', 'cached.proc', 7, 'node1 has no cached route'],
  ['5', 'cached.pings', none, 'node1 has no cached route'],
  ['5', 'tools.0.listed', 4, '`route -n`'],
  ['5', 'tools.1.listed', 9, '`netstat -rn`'],
  ['5', 'change.during', all, 'A changed route'],
  ['5', 'change.afterwards', none, 'A changed route'],
  ['5', 'exception.shown', 1450, 'A path MTU'],
  ['5', 'exception.told', undefined, 'A path MTU'],
  ['5', 'exception.expires', false, 'A path MTU'],
  ['5', 'exception.during', 0, 'A path MTU'],
  ['5', 'exception.afterwards', 1, 'A path MTU'],
  ['6', 'naming', ['-A FORWARD -d 10.244.2.0/24 -j ACCEPT'], 'No rule of node1'],
  ['6', 'rules', 0, 'No rule of node1'],
  ['6', 'instead', { '10.244.2.0/24': 'FDB entry' }, "Each other host's address"],
  ['6', 'flushed.pods', none, 'Without any rule'],
  ['6', 'flushed.sourceDuring', '10.103.2.1', 'What ends with the rules'],
  ['6', 'flushed.sourceBefore', '10.244.1.2', 'What ends with the rules'],
  ['6', 'policy.withoutRules', all, 'Where the policy is to drop'],
  ['6', 'policy.withRules', none, 'Where the policy is to drop'],
  ['6', 'policy.afterwards', none, 'Where the policy is to drop'],
  ['7', 'own.found.busy', 2000, 'vxlan: pods that talk cause no packets'],
  ['7', 'own.found.talk', dead, 'vxlan: pods that talk cause no packets'],
  ['7', 'own.found.holders', ['kube-proxy'], 'vxlan: nobody but flanneld'],
  ['7', 'made.found.counts.busy', 2000, 'vxlan-flanneld: pods that talk cause no packets'],
  ['7', 'made.found.counts.holders', ['flanneld', 'calico-node'], 'vxlan-flanneld: nobody but flanneld'],
  ['7', 'made.found.noEtcd.talk', dead, 'vxlan-flanneld: with etcd dead'],
  ['7', 'made.found.nobody.packets', 12, 'vxlan-flanneld: with flanneld dead too'],
  ['7', 'made.found.nobody.talk', dead, 'vxlan-flanneld: with flanneld dead too'],
  ['7', 'made.found.again.holders', [], 'vxlan-flanneld: both come back'],
  ['7', 'made.found.again.talk', dead, 'vxlan-flanneld: both come back'],
  ['8', 'hosts.0.tables.notInProc', ['10.244.2.0/24'], 'node1: `ip -j route`'],
  ['8', 'hosts.0.tables.main', [], 'node1: `ip -j route`'],
  ['8', 'hosts.1.tables.notInTrie', ['10.244.1.0/24'], 'node2: `ip -j route`'],
  ['8', 'hosts.2.tables.notInProc', ['10.244.1.0/24'], 'node3: `ip -j route`'],
  ['8', 'hosts.0.tables.lookups.0.decided', 'via 10.103.2.254 dev eth0', 'node1: for a pod elsewhere'],
  ['8', 'hosts.1.tables.lookups', [], 'node2: for a pod elsewhere'],
  ['8', 'hosts.2.tables.lookups.1.longest', 'none', 'node3: for a pod elsewhere'],
  ['8', 'own.during', '198.51.100.7 via 10.103.2.254 dev eth0', 'node1: a rule leads'],
  ['8', 'own.inMain', true, 'node1: a rule leads'],
  ['8', 'own.inAll', false, 'node1: a rule leads'],
  ['8', 'own.inRoute', { shown: true }, 'node1: a rule leads'],
  ['8', 'own.afterwards', 'dev lo table 4242', 'node1: a rule leads'],
]

describe.each(Object.keys(judges))('question %s', (number) => {
  const claims = judges[number]!(recorded(number))

  test('as it was recorded, it is confirmed', async () => {
    const lines = claims.map((one) => `${judged(one).mark}: ${one.claim}\n${judged(one).because}\n`)
    await expect(lines.join('\n')).toMatchFileSnapshot(`facts/${number}.claims.txt`)
    expect(verdictOf(claims)).toBe('confirmed')
  })

  const own = refuting.filter(([of]) => of === number)
  test.each(own)('%s: %s = %j: refuted', (_, place, value, begin) => {
    const now = judges[number]!(changed(recorded(number), place, value))
    const refuted = now.filter((one) => 'holds' in one && !one.holds).map((one) => one.claim)
    expect(refuted.some((text) => text.startsWith(begin))).toBe(true)
    expect(verdictOf(now)).toBe('refuted')
  })

  test('each of its claims is refuted by something', () => {
    const spared = claims.filter((one) => !own.some(([, , , begin]) => one.claim.startsWith(begin)))
    expect(spared.map((one) => one.claim)).toEqual([])
  })
})

test.each([
  ['1', '1.found', 'host-gw: which addresses are on the wire'],
  ['1', '0.found.wire', 'vxlan: the outer header'],
  ['2', '2.found', 'udp: which entries find the host'],
  ['2', '0.found.entries.1', 'vxlan: without an entry'],
  ['3', 'killed.2.found', 'udp-flanneld: nobody talks'],
  ['4', '1.found', 'vxlan-flanneld: a packet finds'],
  ['5', 'exception', 'A path MTU'],
  ['6', 'flushed', 'Without any rule'],
  ['7', 'made.found', 'vxlan-flanneld: with etcd dead'],
  ['8', 'hosts.1.tables', 'node2: `ip -j route`'],
])('question %s without %s: not measured, and why', (number, place, begin) => {
  const facts = changed(recorded(number), place, { notMeasured: 'node2: connect: no answer' })
  const claims = judges[number]!(facts)
  const found = claims.find((one) => one.claim.startsWith(begin))!
  expect(judged(found)).toEqual({ mark: '?', because: 'not measured: node2: connect: no answer' })
  expect(verdictOf(claims)).toBe('not measured')
})

test('one claim that does not hold refutes, whatever else was not measured', () => {
  const open: Claim = { claim: 'a', notMeasured: 'b' }
  const held = claim('a', {}, () => [true, 'b'])
  const not = claim('a', {}, () => [false, 'b'])
  expect(verdictOf([held, open, not])).toBe('refuted')
  expect(verdictOf([held, open])).toBe('not measured')
  expect(verdictOf([held])).toBe('confirmed')
  expect(verdictOf([])).toBe('not measured')
})
