/** Question 4: with no daemon alive, whose entries find the host? */
import { observe } from '../trace/collect.ts'
import { traceOf, type Trace } from '../trace/trace.ts'
import { variantOf } from '../variants/variant.ts'
import { borrow } from './borrow.ts'
import { claim, type Claim } from './claim.ts'
import { daemonsOf, killAll } from './daemons.ts'
import { enduring, type Found, type Labs, type MadeSite } from './labs.ts'
import { measured, type Measured } from './measured.ts'
import type { Notes } from './notes.ts'
import { entriesOf } from './peer-lookup.ts'
import { question } from './question.ts'
import { controlOf, placesOf, type Places, type Site } from './site.ts'
import { overlabCommand } from '../../tools/command-line.ts'

export interface Finding {
  /** flanneld, etcd and others that live, on all hosts. */
  readonly daemons: readonly string[]
  readonly arrived: boolean
  /** What decided on the sending host, in the order in which the packet met it. */
  readonly decisions: readonly { readonly topic: string; readonly entry: string; readonly by: string }[]
  /** The same with the last of those entries taken away. */
  readonly without: Measured<{
    readonly what: string
    readonly arrived: boolean
    readonly says: string
    readonly afterwards: boolean
  }>
}

export const kernelFinds = question<readonly Found<Finding>[]>({
  number: 4,
  question: 'With flanneld stopped, who finds the host?',
  answer:
    "The sending host's own kernel, by the entries that flanneld (or overlab) wrote before: they are permanent, and belong to nobody who could die.",
  experiment:
    'With flanneld and etcd killed on every host, a packet is traced entry by entry; then one entry is taken away, and the trace ends there. That rules out that anybody who lives is asked.',
  gather: findings,
  claims: claimsOfFinding,
})

async function findings(labs: Labs, notes: Notes): Promise<Found<Finding>[]> {
  const { own, made } = labs
  const all: Found<Finding>[] = []
  if (controlOf(own) === 'static')
    all.push({ lab: own.name, found: await measured(() => finding(own, notes), own.signal) })
  // With flanneld's udp nobody finds it: question 3.
  const backend = enduring(labs)
  if (backend) {
    const variant = variantOf(backend, 'flanneld')
    all.push({ lab: variant.name, found: await made(variant, (site) => afterDeath(site, notes)) })
  }
  return all
}

async function afterDeath(site: MadeSite, notes: Notes): Promise<Finding> {
  notes.begin(site, 'experiment', 'kill -9 of every flanneld and of etcd')
  site.leaveBroken()
  for (const unit of ['flanneld', 'etcd'] as const) await killAll(site, notes, unit)
  return finding(site, notes)
}

async function finding(site: Site, notes: Notes): Promise<Finding> {
  const places = placesOf(site)
  const { near } = places
  notes.begin(site, 'evidence', 'Who lives, and what decides on the way of a packet')
  const daemons = await daemonsOf(site, notes)
  const trace = await traced(site, notes, places)
  return {
    daemons,
    arrived: trace.verdict.arrived,
    decisions: trace.steps.flatMap(({ leg, actor, topic, entry, by }) =>
      leg === 'there' && actor === near.host.name && entry !== undefined && deciding.has(topic)
        ? [{ topic, entry, by: by ?? 'nobody knows' }]
        : [],
    ),
    without: await measured(() => withoutLast(site, notes, places), site.signal),
  }
}

const deciding = new Set(['route', 'neighbour', 'FDB entry', 'peer', 'encapsulation'])

/** Of a trace its entries on the way there, and what comes of it. */
const jq = {
  all: '(.steps[] | select(.leg == "there" and .entry) | "\\(.actor): \\(.topic): \\(.entry) (\\(.by))"), .verdict.sentences[]',
  verdict: '.verdict.sentences[]',
} as const

async function traced(
  site: Site,
  notes: Notes,
  { near, far }: Places,
  only: 'verdict' | 'all' = 'all',
): Promise<Trace> {
  const observed = await observe(site.session, site.plan, near.pod, far.pod, { signal: site.signal })
  const trace = traceOf(site.plan, observed, near.pod, far.pod)
  const there = trace.steps.filter(({ leg, entry }) => leg === 'there' && entry !== undefined)
  notes.add({
    command: overlabCommand(`trace ${near.pod.name} ${far.pod.name} --json | jq -r '${jq[only]}'`),
    output: [
      ...(only === 'verdict' ? [] : there).map(
        ({ actor, topic, entry, by }) => `${actor}: ${topic}: ${entry} (${by})`,
      ),
      ...trace.verdict.sentences,
    ].join('\n'),
  })
  return trace
}

async function withoutLast(site: Site, notes: Notes, places: Places) {
  const { near, far } = places
  const { what, take, back } = (await entriesOf(site, notes, near, far)).at(-1)!
  notes.begin(site, 'experiment', `${near.host.name} without its ${what} for ${far.host.name}`)
  const broken = await borrow(notes, { host: near.host.name, take, back }, () => traced(site, notes, places))
  const whole = await traced(site, notes, places, 'verdict')
  return {
    what,
    arrived: broken.verdict.arrived,
    says: broken.verdict.sentences[0] ?? '',
    afterwards: whole.verdict.arrived,
  }
}

export function claimsOfFinding(all: readonly Found<Finding>[]): Claim[] {
  return all.flatMap(({ lab, found }) => [
    claim(
      `${lab}: a packet finds its way with no daemon alive on any host`,
      found,
      ({ daemons, arrived }) => [
        daemons.length === 0 && arrived,
        `${daemons.length === 0 ? 'no daemon' : daemons.join(', ')}; the packet ${arrived ? 'was answered' : 'was not answered'}`,
      ],
    ),
    claim(`${lab}: every decision on the sending host is an entry of its kernel`, found, ({ decisions }) => [
      decisions.length > 0,
      decisions.map(({ topic, entry, by }) => `${topic}: ${entry} (${by})`).join('\n') || 'none was seen',
    ]),
    claim(
      `${lab}: one entry less, and nobody finds it`,
      'notMeasured' in found ? found : found.without,
      (of) => [
        !of.arrived && of.afterwards,
        `without the ${of.what}: ${of.says}; with it again ${of.afterwards ? 'answered' : 'not answered'}`,
      ],
    ),
  ])
}
