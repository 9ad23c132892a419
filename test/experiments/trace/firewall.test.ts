/** A host's own firewall stops the packet: the trace ends there, and names the rule. Recordings, with what a firewall changes. */
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { mermaidOf } from '../../../experiments/trace/mermaid.ts'
import { traceOf, type Trace } from '../../../experiments/trace/trace.ts'
import { readScript, sectionsOf } from '../../../experiments/trace/script.ts'
import { textOf } from '../../../experiments/trace/text.ts'
import type { HostView, Sighting } from '../../../experiments/trace/view.ts'
import { readRuleset } from '../../../machines/firewall/nft.ts'
import { recordingOf } from './recorded.ts'

const silence = { pattern: 'ff', answered: false }
const isRoot = process.getuid?.() === 0

/** As a real kernel and nft print it, of a host that has nothing else. */
function rulesetOf(rules: string): HostView['ruleset'] {
  const script = readScript({
    id: '0123456789ab',
    nic: 'eth0',
    ports: {},
    iptables: 'auto',
    pods: [],
    lookups: [],
  })
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['-n', 'sh', '-c', `printf %s "$1" | nft -f - && sh -c "$2"`, 'sh', rules, script],
    { encoding: 'utf8', timeout: 60_000 },
  )
  const read = readRuleset(sectionsOf(stdout, '0123456789ab').get('ruleset') ?? '')
  expect(read?.rules.length, stderr).toBeGreaterThan(0)
  return read!
}

function table(hook: string, rules: string, policy = 'accept'): string {
  return `table inet fw {
  chain c {
    type filter hook ${hook} priority filter + 10; policy ${policy};
    ct state { established, related } accept
    ${rules}
  }
}
`
}

function error(from: string, code: number, link: string): Sighting {
  return {
    link,
    out: true,
    message: 'error',
    time: 1,
    layers: [
      { protocol: 'ipv4', fields: { source: from, destination: '10.244.1.2' } },
      { protocol: 'icmp', fields: { type: 'destination unreachable', code } },
      { protocol: 'payload', fields: { bytes: 84 } },
    ],
  }
}

type Change = (view: HostView) => Partial<HostView>

/** vxlan, from node1-pod1 to node2-pod1; `near` and `far` are what differs on their hosts. */
function traced(near: Change, far: Change, sent: object = silence): Trace {
  const { plan, observed, from, to } = recordingOf('vxlan')
  const { node1, node2 } = observed.views
  const views = { node1: { ...node1!, ...near(node1!) }, node2: { ...node2!, ...far(node2!) } }
  return traceOf(plan, { ...observed, views, sent: { ...observed.sent, ...sent } }, from, to)
}

const requests = ({ sightings }: HostView) => sightings.filter(({ message }) => message === 'request')
const seen: Change = (view) => ({ sightings: requests(view) })
const unseen: Change = () => ({ sightings: [] })
const cameIn = (view: HostView) => requests(view).filter(({ out }) => out !== true)
const onWire = (view: HostView) => requests(view).filter(({ link }) => link === 'eth0')
const rule = (chain: string, words: string) => ({
  table: 'filter',
  chain,
  rule: words,
  before: 4,
  after: 5,
})

function expectStop({ steps, verdict }: Trace, host: string, leg: string, topic: string, text: string): void {
  expect(verdict.arrived).toBe(false)
  expect(verdict.sentences[0]).toContain(text)
  const last = steps.at(-1)!
  expect(last).toMatchObject({ actor: host, leg, topic, fault: { host } })
  expect(steps.filter(({ fault }) => fault)).toHaveLength(1)
}

describe.runIf(isRoot)('nftables, as a real kernel prints them', () => {
  test('the far host rejects what it forwards', async () => {
    const trace = traced(seen, (view) => ({
      ruleset: rulesetOf(table('forward', 'reject with icmpx admin-prohibited')),
      sightings: [...cameIn(view), error('10.244.2.0', 13, 'flannel.1')],
    }))
    expectStop(
      trace,
      'node2',
      'there',
      'firewall',
      "node2's nftables stop the packet: reject with icmpx admin-prohibited in inet fw c; it sent an ICMP error of code 13 from 10.244.2.0",
    )
    expect(trace.steps.at(-1)!.see).toBe('./overlab exec node2 -- nft list ruleset')
    expect(mermaidOf(trace)).toContain("firewall - node2's nftables stop the packet")
    await expect(`${textOf(trace)}\n`).toMatchFileSnapshot('vxlan/rejected.txt')
  })

  test('the far host does not let the envelope in, and is silent', () => {
    const trace = traced(seen, (view) => ({
      ruleset: rulesetOf(table('input', 'tcp dport 22 accept', 'drop')),
      sightings: onWire(view),
    }))
    expectStop(
      trace,
      'node2',
      'there',
      'firewall',
      "node2's nftables stop the packet: policy drop of inet fw c",
    )
    expect(trace.steps.some(({ topic }) => topic === 'decapsulation')).toBe(false)
  })

  test('its own host does not forward the packet', () => {
    const trace = traced(
      (view) => ({
        ruleset: rulesetOf(table('forward', 'iifname "cni0" drop')),
        sightings: cameIn(view).filter(({ link }) => link !== 'eth0'),
      }),
      unseen,
    )
    expectStop(trace, 'node1', 'there', 'firewall', "node1's nftables stop the packet: drop in inet fw c")
  })

  test('a chain that lets the overlay in is no obstacle, nor one behind which the packet was seen', () => {
    const open = rulesetOf(table('input', 'udp dport 8472 accept', 'drop'))
    const strict = rulesetOf(table('forward', 'drop'))
    for (const ruleset of [open, strict]) {
      const { steps } = traced(seen, (view) => ({ ruleset, sightings: requests(view) }))
      expect(steps.filter(({ fault }) => fault)).toEqual([])
    }
  })

  test('nothing is said of a packet that was answered', () => {
    const ruleset = rulesetOf(table('forward', 'drop'))
    const trace = traced(
      () => ({ ruleset }),
      () => ({ ruleset }),
      {},
    )
    expect(trace.verdict.arrived).toBe(true)
    expect(trace.steps.filter(({ fault }) => fault)).toEqual([])
  })
})

describe('iptables', () => {
  const reject = rule('INPUT', '-j REJECT --reject-with icmp-host-prohibited')

  test('the last rule of INPUT rejects the envelope', () => {
    const trace = traced(seen, (view) => ({
      rules: [reject],
      sightings: [...onWire(view), error('10.217.1.2', 10, 'eth0')],
    }))
    expectStop(
      trace,
      'node2',
      'there',
      'iptables',
      "node2's iptables drop the packet: filter INPUT -j REJECT --reject-with icmp-host-prohibited (4 -> 5); it sent an ICMP error of code 10 from 10.217.1.2",
    )
    expect(trace.steps.some(({ topic }) => topic === 'decapsulation')).toBe(false)
  })

  test('a rule that dropped what is not ours, while another host says that it was it', () => {
    const trace = traced(
      (view) => ({ rules: [rule('INPUT', '-p tcp -j DROP')], sightings: cameIn(view) }),
      (view) => ({
        rules: [rule('FORWARD', '-j REJECT --reject-with icmp-host-prohibited')],
        sightings: [...cameIn(view), error('10.244.2.0', 10, 'flannel.1')],
      }),
    )
    expectStop(
      trace,
      'node2',
      'there',
      'iptables',
      "node2's iptables drop the packet: filter FORWARD -j REJECT",
    )
  })
})

describe('no rule that was read explains the ICMP error', () => {
  test('on the way there', () => {
    const trace = traced(seen, (view) => ({
      sightings: [...cameIn(view), error('10.244.2.0', 9, 'flannel.1')],
    }))
    expectStop(trace, 'node2', 'there', 'firewall', 'node2 sent an ICMP error of code 9 from 10.244.2.0')
  })

  test('on the way back', () => {
    const trace = traced(
      ({ sightings }) => ({
        sightings: [
          ...sightings.filter(({ message, out }) => message === 'request' || out !== true),
          error('10.244.1.1', 13, 'flannel.1'),
        ],
      }),
      () => ({}),
    )
    expectStop(trace, 'node1', 'back', 'firewall', 'node1 sent an ICMP error of code 13 from 10.244.1.1')
  })

  test('another code is no firewall', () => {
    const { steps } = traced(seen, (view) => ({
      sightings: [...cameIn(view), error('10.244.2.0', 1, 'flannel.1')],
    }))
    expect(steps.filter(({ fault }) => fault)).toEqual([])
  })
})
