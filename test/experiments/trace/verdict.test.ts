/** A real recording with one thing taken out of it, and no answer: the verdict names what was taken. */
import { describe, expect, test } from 'vitest'
import type { Observed } from '../../../experiments/trace/collect.ts'
import { endOf } from '../../../experiments/trace/endpoint.ts'
import { mermaidOf } from '../../../experiments/trace/mermaid.ts'
import { lookupKey } from '../../../experiments/trace/script.ts'
import { textOf } from '../../../experiments/trace/text.ts'
import { traceOf, type Trace } from '../../../experiments/trace/trace.ts'
import type { HostView } from '../../../experiments/trace/view.ts'
import { parseHoldings } from '../../../experiments/kinds.ts'
import { recordingOf, type Recorded } from './recorded.ts'
import cases from './verdicts.json' with { type: 'json' }

const silence = { pattern: 'ff', answered: false }

interface Case {
  readonly name: string
  readonly backend: Recorded
  readonly host: string
  /** Part of the view -> what the entry that goes says. */
  readonly without?: Readonly<Record<string, string>>
  /** Destination -> the route that it takes instead. */
  readonly instead?: Readonly<Record<string, string>>
  /** Beginning of a lookup -> what the kernel said instead of a route. */
  readonly error?: Readonly<Record<string, string>>
  readonly pod?: string
  readonly forwards?: boolean
  /** The hosts on which the request was seen; all where it is not given. */
  readonly seen?: string
  readonly says: string
}

function broken({ backend, host, without = {}, instead = {}, error = {}, pod, forwards, seen }: Case): Trace {
  const { plan, from, to, observed } = recordingOf(backend)
  const view = observed.views[host]!
  const changed: Record<string, unknown> = { ...view, ...(forwards === undefined ? {} : { forwards }) }
  let taken = 0
  for (const [part, words] of Object.entries(without)) {
    const all = view[part as keyof HostView] as readonly unknown[]
    const rest = all.filter((entry) => !JSON.stringify(entry).includes(words))
    taken += all.length - rest.length
    changed[part] = rest
  }
  const lookups = { ...view.lookups }
  for (const key of Object.keys(lookups)) {
    for (const [destination, route] of Object.entries(instead)) {
      if (key.split(' ')[1] !== destination || key.split(' ')[0] !== '-') continue
      const [, via, dev] = /^default via (\S+) dev (\S+)$/.exec(route)!
      const json = JSON.stringify([{ dst: 'default', gateway: via, dev, protocol: 'boot', flags: [] }])
      lookups[key] = { entry: parseHoldings('routes', json, {})[0]! }
      taken++
    }
    for (const [start, words] of Object.entries(error)) {
      if (!key.startsWith(start)) continue
      lookups[key] = { error: words }
      taken++
    }
  }
  changed['lookups'] = lookups
  if (pod !== undefined) {
    changed['pods'] = Object.fromEntries(Object.entries(view.pods).filter(([name]) => name !== pod))
    taken++
  }
  // A case that takes nothing out would test nothing.
  if (forwards === undefined) expect(taken).toBeGreaterThan(0)
  const views = { ...observed.views, [host]: changed as unknown as HostView }
  const shown = Object.fromEntries(
    Object.entries(views).map(([name, one]) => {
      const isSeen = seen === undefined || seen === name
      const sightings = one.sightings.filter(({ message }) => message === 'request' && isSeen)
      return [name, { ...one, sightings }]
    }),
  )
  return traceOf(plan, { ...observed, views: shown, sent: silence }, from, to)
}

test.each(cases as Case[])('$name', (one) => {
  const trace = broken(one)
  expect(trace.verdict.sentences[0]).toBe(one.says)
  expect(trace.verdict.arrived).toBe(false)
  const [last, ...others] = trace.steps.filter(({ fault }) => fault).toReversed()
  expect(others).toEqual([])
  expect(trace.steps.at(-1)).toBe(last)
  expect(textOf(trace)).toContain(`broken         ${last!.fault!.text}`)
  expect(mermaidOf(trace)).toContain('is missing - ')
})

describe('nothing is missing, and no answer', () => {
  const { plan, from, to, observed } = recordingOf('vxlan')
  const silent = (change: (host: string, view: HostView) => Partial<HostView>): Trace => {
    const views = Object.fromEntries(
      Object.entries(observed.views).map(([host, view]) => [host, { ...view, ...change(host, view) }]),
    )
    return traceOf(plan, { ...observed, views, sent: silence }, from, to)
  }
  const requests = ({ sightings }: HostView) => sightings.filter(({ message }) => message === 'request')

  test('the pod was given the packet', () => {
    const { sentences } = silent((_, view) => ({ sightings: requests(view) })).verdict
    expect(sentences).toEqual([
      'every entry that the packet needs is there, yet nothing came back',
      'no answer from node2-pod1 (10.244.2.2)',
      'the packet was last seen on node2, leaving by vethe530da8a: node2-pod1 was given it and did not answer',
    ])
  })

  test('it never came to the far host', () => {
    const { sentences } = silent((host, view) => ({
      sightings: host === 'node1' ? requests(view) : [],
    })).verdict
    expect(sentences[2]).toBe('the packet was last seen on node1, leaving by eth0')
  })

  test('nothing was captured: said so, and no headers are shown', () => {
    const trace = silent(() => ({ sightings: [], notCaptured: 'any: tcpdump is not there' }))
    expect(trace.verdict.sentences).toContain('not captured on node1: any: tcpdump is not there')
    expect(textOf(trace)).toContain('capture        not captured: any: tcpdump is not there')
    expect(trace.steps.every(({ packet }) => packet === undefined)).toBe(true)
  })

  test('a rule that drops and counted is named', () => {
    const drop = { table: 'filter', chain: 'FORWARD', rule: 'policy DROP', before: 4, after: 5 }
    const trace = silent((host, view) => ({
      sightings: [],
      rules: host === 'node1' ? [...view.rules, drop] : [],
    }))
    expect(trace.verdict.sentences[0]).toBe(
      "node1's iptables drop the packet: filter FORWARD policy DROP (4 -> 5); not of overlab; whoever put it there may take it away",
    )
  })

  test('an entry that is another than the plan says comes first', () => {
    const key = '6a:d2:b4:aa:45:1c dev flannel.1'
    const trace = silent((host) => ({
      sightings: [],
      drift:
        host === 'node1'
          ? [{ table: 'fdb', op: 'change', key, from: 'dst 10.217.1.2 static', to: 'dst 10.217.1.2' }]
          : [],
    }))
    expect(trace.verdict.sentences[0]).toBe(
      'node1: FDB entry: the plan says: dst 10.217.1.2; the host has: dst 10.217.1.2 static; `./overlab up` restores it',
    )
  })
})

describe('whose entry it is that is missing', () => {
  const flanneld = { node1: 'flanneld', node2: 'flanneld' } as const

  test.each([
    ['vxlan', 'fdb', 'flannel.1 dst', 'no FDB entry', 'flanneld'],
    ['vxlan', 'neighbours', '10.244.2.0 dev flannel.1', 'no neighbour 10.244.2.0', 'flanneld'],
    ['vxlan', 'links', 'flannel.1 vxlan', 'no link flannel.1', 'overlab'],
    ['host-gw', 'ports', 'cni0', 'forwarding port', 'overlab'],
  ] as const)('%s under flanneld, %s: %s', (backend, part, words, says, owner) => {
    const { plan, from, to, observed } = recordingOf(backend, flanneld)
    // Of a link the far end's: the near one's goes with the route.
    const host = part === 'links' ? 'node2' : 'node1'
    const view = observed.views[host]!
    const rest = (view[part] as readonly unknown[]).filter((one) => !JSON.stringify(one).includes(words))
    expect(rest.length).toBeLessThan(view[part].length)
    const views = { ...observed.views, [host]: { ...view, [part]: rest } }
    const trace = traceOf(plan, { ...observed, views, sent: silence }, from, to)
    expect(trace.verdict.sentences[0]).toContain(says)
    expect(trace.verdict.sentences[0]).toMatch(
      new RegExp(`; put there by ${owner}: \`./overlab up\` restores it$`),
    )
  })

  test.each([
    ['static', 'overlab'],
    ['flanneld', 'flanneld'],
  ] as const)('in a mixed lab the plan of its own host says so: %s', (control, owner) => {
    const other = control === 'static' ? 'flanneld' : 'static'
    const { plan, from, to, observed } = recordingOf('vxlan', { node1: control, node2: other })
    const node1 = { ...observed.views['node1']!, fdb: [] }
    const fault = (views: Observed['views']) =>
      traceOf(plan, { ...observed, views, sent: silence }, from, to).steps.at(-1)!.fault!
    const bridged = observed.views['node1']!.fdb.filter(({ detail }) => detail['dst'] === undefined)
    expect(fault({ ...observed.views, node1: { ...node1, fdb: bridged } })).toMatchObject({
      host: 'node1',
      table: 'fdb',
      owner,
    })
    // The far device's MAC is as planned: it is node1's neighbour that is wrong, whoever has control of node2.
    const wrong = JSON.parse(
      JSON.stringify(observed.views['node1']).replaceAll('6a:d2:b4:aa:45:1c', '6a:d2:b4:aa:45:99'),
    ) as HostView
    expect(fault({ ...observed.views, node1: wrong })).toMatchObject({
      host: 'node2',
      table: 'neighbours',
      owner,
    })
  })

  test('what no plan has', () => {
    const says = (controls: Parameters<typeof recordingOf>[1]) => {
      const { plan, from, to, observed } = recordingOf('vxlan', controls)
      const view = observed.views['node1']!
      const lookups = Object.fromEntries(
        Object.entries(view.lookups).map(([key, found]) => [
          key,
          key === lookupKey({ to: '10.217.1.2' }) ? { error: 'Network is unreachable' } : found,
        ]),
      )
      expect(lookups).not.toEqual(view.lookups)
      const views = { ...observed.views, node1: { ...view, lookups } }
      return traceOf(plan, { ...observed, views, sent: silence }, from, to).verdict.sentences[0]
    }
    const what = 'node1 has no route to 10.217.1.2: Network is unreachable; not planned by overlab'
    expect(says({})).toBe(`${what}, and no flanneld has control of this host`)
    expect(says(flanneld)).toBe(`${what}: flanneld has control of this host, and may write it`)
  })

  const { plan, from, to, observed } = recordingOf('vxlan', flanneld)
  test("its rules are not overlab's", () => {
    const trace = traceOf(plan, observed, from, to)
    const rules = trace.steps.find(({ topic }) => topic === 'iptables')!.rules!
    expect(new Set(rules.map(({ by }) => by))).toEqual(new Set(['flanneld or a person']))
  })
})

test('a host that cannot be asked ends the way, with the reason', () => {
  const { plan, from, to, observed } = recordingOf('vxlan')
  const alone: Observed = {
    views: { node1: observed.views['node1']! },
    failures: { node2: 'connect: no answer within 10 s' },
    sent: silence,
  }
  expect(traceOf(plan, alone, from, to).verdict.sentences[0]).toBe(
    'node2 could not be asked: connect: no answer within 10 s; ./overlab up boots a machine that is down',
  )
})

test('an answer is an answer: what looks missing is only said', () => {
  const { plan, from, to, observed } = recordingOf('vxlan')
  const seen = observed.views['node1']!
  const node1 = { ...seen, fdb: seen.fdb.filter(({ detail }) => detail['dst'] === undefined) }
  const { verdict } = traceOf(plan, { ...observed, views: { ...observed.views, node1 } }, from, to)
  expect(verdict.arrived).toBe(true)
  expect(verdict.sentences[1]).toContain('were they changed just now?')
})

test('ends: names, addresses, addresses that a pod could have, and the world', () => {
  const { plan } = recordingOf('vxlan')
  expect(endOf(plan, 'node2')).toEqual({ kind: 'host', name: 'node2', address: '10.217.1.2', host: 'node2' })
  expect(endOf(plan, '10.244.1.3')).toMatchObject({ kind: 'pod', name: 'node1-pod2' })
  expect(endOf(plan, '10.244.2.77')).toMatchObject({ kind: 'pod', name: '10.244.2.77', host: 'node2' })
  expect(endOf(plan, '198.51.100.9')).toEqual({
    kind: 'outside',
    name: '198.51.100.9',
    address: '198.51.100.9',
  })
  for (const word of ['node9', '', '10.244.2', '::1', 'node1-pod1;reboot'])
    expect(endOf(plan, word)).toBeUndefined()
})
