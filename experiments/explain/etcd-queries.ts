/** Question 7: who talks to etcd, and when? */
import { variantOf } from '../variants/variant.ts'
import { claim, type Claim } from './claim.ts'
import { daemonsOf, killAll, programOf } from './daemons.ts'
import { enduring, type Found, type Labs, type MadeSite } from './labs.ts'
import { measured, type Measured } from './measured.ts'
import type { Notes } from './notes.ts'
import { question } from './question.ts'
import { hostsOf, type Site } from './site.ts'
import { goesOn, talkDuring, talkWords, wait, type Talk } from './under-load.ts'
import { overlabCommand } from '../../tools/command-line.ts'

/** Packets to and from etcd's port, counted on every host for a few seconds. */
export interface Counts {
  readonly daemons: readonly string[]
  /** `flanneld`, `etcd`: programs that hold a connection to the port. */
  readonly holders: readonly string[]
  readonly idle: number
  readonly busy: number
  readonly talk: Talk
}

export interface Queries {
  readonly own: Found<Counts>
  /** Not where only udp is to be compared: with flanneld's, packets end with it. */
  readonly made?: Found<{
    readonly counts: Counts
    /** etcd alone killed: flanneld tries to reach it. */
    readonly noEtcd: { readonly packets: number; readonly talk: Talk }
    /** flanneld killed too. */
    readonly nobody: { readonly packets: number; readonly talk: Talk }
    /** Both started again. */
    readonly again: { readonly holders: readonly string[]; readonly talk: Talk }
  }>
}

const port = 2379
/** How long packets are counted, in ms. */
const counting = 3000

export const etcdQueries = question<Queries>({
  number: 7,
  question: 'Does anyone still query etcd?',
  answer:
    'For packets nobody does: only flanneld talks to etcd, to hear of hosts that come and go and to renew its lease, and pods talk on while etcd is dead, while it comes back, and where there never was one.',
  experiment:
    'Packets to etcd are counted on every host, without and with pods that talk; etcd is killed, then flanneld, then both are started again, all under load. That rules out a lookup in etcd for a packet or for a connection.',
  gather: queries,
  claims: claimsOfQueries,
})

async function queries(labs: Labs, notes: Notes): Promise<Queries> {
  const { own, made } = labs
  const counted = { lab: own.name, found: await measured(() => counts(own, notes), own.signal) }
  const backend = enduring(labs)
  if (!backend) return { own: counted }
  const variant = variantOf(backend, 'flanneld')
  return {
    own: counted,
    made: { lab: variant.name, found: await made(variant, (site) => killed(site, notes)) },
  }
}

async function counts(site: Site, notes: Notes): Promise<Counts> {
  notes.begin(site, 'evidence', 'Who lives, and who is connected to etcd')
  const daemons = await daemonsOf(site, notes)
  const holders = await holdersOf(site, notes)
  const seconds = counting / 1000
  notes.begin(site, 'evidence', `Packets to and from etcd in ${seconds} s, while pods are silent`)
  const idle = await packetsDuring(site, notes, () => wait(site, counting))
  notes.begin(site, 'evidence', `Packets to and from etcd in ${seconds} s, while pods talk`)
  let talk: Talk | undefined
  const busy = await packetsDuring(site, notes, async () => {
    talk = await talkDuring(site, notes, () => wait(site, counting))
  })
  return { daemons, holders, idle, busy, talk: talk! }
}

/** Of all hosts; each program once. */
async function holdersOf(site: Site, notes: Notes): Promise<string[]> {
  const found: string[] = []
  for (const { name } of hostsOf(site)) {
    const { output } = await notes.run(
      name,
      `ss -H -t -n -p state established "( sport = :${port} or dport = :${port} )"`,
    )
    for (const [, program] of output.matchAll(/\(\("([^"]+)"/g)) found.push(programOf(program!))
  }
  return [...new Set(found)].sort()
}

/** On every link of every host, so that a packet between two hosts counts twice. */
async function packetsDuring(site: Site, notes: Notes, act: () => Promise<void>): Promise<number> {
  let packets = 0
  const on = async ([host, ...others]: readonly string[]): Promise<void> => {
    if (host === undefined) return act()
    const lines = await notes.captured(host, 'any', `tcp port ${port}`, () => on(others))
    packets += lines.length
  }
  await on(Object.keys(site.plan.hosts))
  return packets
}

async function killed(site: MadeSite, notes: Notes) {
  const before = await counts(site, notes)
  site.leaveBroken()
  const during = async (title: string, act: () => Promise<void>) => {
    notes.begin(site, 'experiment', title)
    let talk: Talk | undefined
    const packets = await packetsDuring(site, notes, async () => {
      talk = await talkDuring(site, notes, async () => {
        await act()
        await wait(site, counting)
      })
    })
    return { packets, talk: talk! }
  }
  const noEtcd = await during('etcd is killed, under load', () => killAll(site, notes, 'etcd'))
  notes.begin(site, 'experiment', 'flanneld is killed too')
  await killAll(site, notes, 'flanneld')
  const nobody = await during('Neither of them lives, under load', () => Promise.resolve())
  notes.begin(site, 'experiment', 'Both are started again, under load')
  const talk = await talkDuring(site, notes, async () => {
    notes.add({ command: overlabCommand('up --yes'), output: '' })
    await site.repair()
  })
  return { counts: before, noEtcd, nobody, again: { holders: await holdersOf(site, notes), talk } }
}

export function claimsOfQueries({ own, made }: Queries): Claim[] {
  if (!made) return ofCounts(own.lab, own.found)
  return [
    ...ofCounts(own.lab, own.found),
    ...ofCounts(made.lab, 'notMeasured' in made.found ? made.found : made.found.counts),
    claim(`${made.lab}: with etcd dead pods talk on`, made.found, ({ noEtcd }) => [
      goesOn(noEtcd.talk),
      `${talkWords(noEtcd.talk)}; ${noEtcd.packets} packets to the dead etcd's port, of flanneld's attempts`,
    ]),
    claim(
      `${made.lab}: with flanneld dead too, nobody asks for etcd any more, and pods talk on`,
      made.found,
      ({ nobody }) => [
        nobody.packets === 0 && goesOn(nobody.talk),
        `${nobody.packets} packets; ${talkWords(nobody.talk)}`,
      ],
    ),
    claim(
      `${made.lab}: both come back, flanneld asks again, and pods notice nothing`,
      made.found,
      ({ again }) => [
        again.holders.includes('flanneld') && goesOn(again.talk),
        `connected: ${again.holders.join(', ') || 'nobody'}; ${talkWords(again.talk)}`,
      ],
    ),
  ]
}

/** A packet for a thousand that pods exchange is a keep-alive, and no lookup. */
const perTalk = 1000

function ofCounts(lab: string, found: Measured<Counts>): Claim[] {
  return [
    claim(`${lab}: pods that talk cause no packets to etcd`, found, ({ idle, busy, talk }) => [
      goesOn(talk) && busy - idle <= talk.sent / perTalk,
      `${idle} packets in ${counting / 1000} s without, ${busy} with ${talk.sent} pings; ${talkWords(talk)}`,
    ]),
    claim(`${lab}: nobody but flanneld is connected to etcd`, found, ({ holders, daemons }) => [
      holders.every((name) => name === 'flanneld' || name === 'etcd'),
      holders.length > 0
        ? `connected: ${holders.join(', ')}`
        : daemons.some((one) => one.endsWith(' etcd'))
          ? 'nobody is connected'
          : 'there is no etcd, and no connection',
    ]),
  ]
}
