/** Question 6: what stands in iptables, and what depends on it. */
import { heredoc } from '../../remote/heredoc.ts'
import { borrow, type Borrowed } from './borrow.ts'
import { claim, type Claim } from './claim.ts'
import { iptablesOf, iptablesTool } from './iptables.ts'
import { isLost, isWhole, ping, words, type Loss } from './loss.ts'
import { CannotMeasure, Disturbed, measured, undisturbed, type Measured } from './measured.ts'
import type { Notes } from './notes.ts'
import { showPeers } from './peers.ts'
import { question } from './question.ts'
import { backendOf, controlOf, hostsOf, placesOf, type Place, type Places, type Site } from './site.ts'

export interface Mappings {
  readonly host: string
  readonly address: string
  /** Of the other hosts: pods' subnet and the host's address, which is what etcd knows. */
  readonly peers: readonly { readonly subnet: string; readonly address: string }[]
  readonly rules: number
  /** Rules that name the subnet or the address of another host. */
  readonly naming: readonly string[]
  /** Where each peer's address stands instead: `FDB entry`, `route`, `table of peers`; by its subnet. */
  readonly instead: Readonly<Record<string, string>>
  readonly flushed: Measured<{
    readonly pods: Loss
    /** The source that another host saw of a pod's packet to it. */
    readonly sourceBefore: string
    readonly sourceDuring: string
  }>
  /** Under a policy that drops what is forwarded, as Docker sets it. */
  readonly policy: Measured<{
    readonly withRules: Loss
    readonly withoutRules: Loss
    readonly afterwards: Loss
  }>
  readonly pod: string
  readonly podAddress: string
}

export const iptablesMappings = question<Mappings>({
  number: 6,
  question: "Are etcd's mappings put into iptables?",
  answer:
    "No: a mapping of subnet to host becomes a route (with vxlan a neighbour and an FDB entry too, with udp a peer), and the iptables rules, which name no other host, only let the pods' packets be forwarded and masquerade what leaves the pod network.",
  experiment:
    'Every rule is flushed: pods still reach each other, and only the masquerading ends; under a policy that drops, the accepting rules are what is missed. That rules out iptables (and so kube-proxy) as what finds the host.',
  gather: ({ own }, notes) => mappings(own, notes),
  claims: claimsOfMappings,
})

async function mappings(site: Site, notes: Notes): Promise<Mappings> {
  const places = placesOf(site)
  const { near } = places
  const others = hostsOf(site).filter(({ name }) => name !== near.host.name)
  const peers = others.map(({ subnet, address }) => ({ subnet, address }))
  notes.begin(site, 'evidence', `The rules of ${near.host.name} and their counters (packets:bytes)`)
  const saved = await notes.run(near.host.name, `${iptablesTool(near.host, 'save')} -c`, {
    keep: /^\*|^:FORWARD|-A /,
  })
  const rules = rulesIn(saved.output)
  return {
    host: near.host.name,
    address: near.host.address,
    pod: near.pod.name,
    podAddress: near.pod.address,
    peers,
    rules: rules.length,
    naming: rules.filter((rule) =>
      peers.some((peer) => names(rule, peer.subnet) || names(rule, peer.address)),
    ),
    instead: await insteadOf(site, notes, near),
    flushed: await measured(() => undisturbed(() => withoutRules(site, notes, places)), site.signal),
    policy: await measured(() => undisturbed(() => underDrop(site, notes, places)), site.signal),
  }
}

/** Pure. The rules that iptables-save prints, without their counters. */
export function rulesIn(saved: string): string[] {
  return saved.split('\n').flatMap((line) => /^(?:\[\d+:\d+\] )?(-A .*)$/.exec(line)?.[1] ?? [])
}

/** Whole words: 10.0.0.1 is not in 10.0.0.11. */
function names(rule: string, word: string): boolean {
  return rule.split(' ').some((one) => one === word || one === `${word}/32`)
}

async function insteadOf(site: Site, notes: Notes, { host }: Place): Promise<Record<string, string>> {
  notes.begin(site, 'evidence', 'Where the mappings are instead')
  const others = hostsOf(site).filter(({ name }) => name !== host.name)
  const found: Record<string, string> = {}
  const note = (where: string, holds: (address: string, subnet: string) => boolean) => {
    for (const { subnet, address } of others) if (holds(address, subnet)) found[subnet] ??= where
  }
  const routes = (await notes.run(host.name, 'ip -4 route show')).output.split('\n')
  note('route', (address, subnet) => routes.some((line) => line.startsWith(`${subnet} via ${address} `)))
  if (host.vtep) {
    const fdb = await notes.run(host.name, `bridge fdb show dev ${host.vtep.name}`)
    note('FDB entry', (address) => new RegExp(` dst ${address.replaceAll('.', '\\.')} `).test(fdb.output))
  }
  if (backendOf(site) === 'udp' && controlOf(site) === 'static') {
    const peers = await showPeers(site, notes, host)
    note('table of peers', (address, subnet) => peers.includes(`${subnet} ${address}`))
  }
  if (controlOf(site) === 'flanneld') await noteEtcd(site, notes)
  return found
}

/** The mappings as etcd has them, for the reader to compare. */
async function noteEtcd(site: Site, notes: Notes): Promise<void> {
  const first = hostsOf(site).find(({ control }) => control === 'flanneld')
  if (first)
    await notes.run(
      first.name,
      `ETCDCTL_API=3 etcdctl --endpoints=http://${first.address}:2379 get --prefix /coreos.com/network/subnets`,
    )
}

async function withoutRules(site: Site, notes: Notes, { near, far }: Places) {
  notes.begin(site, 'experiment', `No rule on ${near.host.name} and ${far.host.name}`)
  const source = () => sourceSeen(notes, near, far)
  const sourceBefore = await source()
  const flush = [await flushed(notes, near), await flushed(notes, far)] as const
  return borrow(notes, flush[0], () =>
    borrow(notes, flush[1], async () => {
      const pods = await ping(notes, near.pod.name, far.pod.address)
      const sourceDuring = await source()
      await checkNoRules(notes, near)
      return { pods, sourceBefore, sourceDuring }
    }),
  )
}

/** What was measured without rules was so to its end. */
async function checkNoRules(notes: Notes, { host }: Place): Promise<void> {
  const { output } = await notes.run(host.name, `${iptablesTool(host, 'save')} | grep -c '^-A'`)
  if (Number(output) !== 0)
    throw new Disturbed(`${host.name}: somebody put ${output.trim()} rules back meanwhile; flanneld does`)
}

/** All tables that have rules; what comes back is what was there, counters too. */
async function flushed(notes: Notes, { host }: Place): Promise<Borrowed> {
  const { output, exitCode } = await notes.quietly(host.name, `${iptablesTool(host, 'save')} -c 2>/dev/null`)
  if (exitCode !== 0 || !output.includes('COMMIT'))
    throw new CannotMeasure(`${host.name}: ${iptablesTool(host, 'save')} lists no rules`)
  const tables = output.split('\n').flatMap((line) => /^\*(\w+)$/.exec(line)?.[1] ?? [])
  notes.add({ where: host.name, command: `${iptablesTool(host, 'save')} -c >saved`, output: '' })
  const restore = `${iptablesTool(host, 'restore')} -c`
  return {
    host: host.name,
    take: tables.map((table) => `${iptablesOf(host)} -t ${table} -F`).join('; '),
    back: `${restore} <saved`,
    backSafely: heredoc(restore, output.trimEnd().split('\n')).join('\n'),
  }
}

/** Of a pod's ping to another host: who that host says it came from. */
async function sourceSeen(notes: Notes, near: Place, far: Place): Promise<string> {
  const filter = `icmp[icmptype] = icmp-echo and dst ${far.host.address}`
  const lines = await notes.captured(far.host.name, far.host.nic, filter, async () => {
    await ping(notes, near.pod.name, far.host.address, 1)
  })
  return /IP ([\d.]+) > /.exec(lines[0] ?? '')?.[1] ?? 'nobody'
}

async function underDrop(site: Site, notes: Notes, { near, far }: Places) {
  notes.begin(site, 'experiment', `${near.host.name} drops what no rule accepts`)
  const flush = await flushed(notes, near)
  const tool = iptablesOf(near.host)
  const policy = { ...flush, take: `${tool} -P FORWARD DROP` }
  const inDrop = await borrow(notes, policy, async () => ({
    withRules: await ping(notes, near.pod.name, far.pod.address),
    withoutRules: await borrow(notes, flush, async () => {
      const lost = await ping(notes, near.pod.name, far.pod.address)
      await checkNoRules(notes, near)
      return lost
    }),
  }))
  return { ...inDrop, afterwards: await ping(notes, near.pod.name, far.pod.address) }
}

export function claimsOfMappings({
  host,
  address,
  pod,
  podAddress,
  peers,
  rules,
  naming,
  instead,
  flushed,
  policy,
}: Mappings): Claim[] {
  const found = peers.filter(({ subnet }) => instead[subnet] !== undefined)
  return [
    {
      claim: `No rule of ${host} names another host or its pods' subnet`,
      holds: rules > 0 && naming.length === 0,
      because: naming.length > 0 ? naming.join('\n') : `${rules} rules, ${peers.length} other hosts, 0 named`,
    },
    {
      claim: "Each other host's address stands in the kernel's own tables",
      holds: found.length === peers.length,
      because: peers
        .map(({ subnet, address }) => `${subnet} -> ${address}: ${instead[subnet] ?? 'nowhere'}`)
        .join('\n'),
    },
    claim('Without any rule, pods of different hosts still reach each other', flushed, ({ pods }) => [
      isWhole(pods),
      words(pods),
    ]),
    claim(
      `What ends with the rules is masquerading: ${pod}'s own address leaves the pod network`,
      flushed,
      (f) => [
        f.sourceBefore === address && f.sourceDuring === podAddress,
        `another host saw the source ${f.sourceBefore} with the rules, ${f.sourceDuring} without`,
      ],
    ),
    claim('Where the policy is to drop, the rules are what lets pods through', policy, (p) => [
      isWhole(p.withRules) && isLost(p.withoutRules) && isWhole(p.afterwards),
      `with the rules ${words(p.withRules)}; without ${words(p.withoutRules)}; as it was before ${words(p.afterwards)}`,
    ]),
  ]
}
