/** Question 3: what does flanneld's death cost? */
import { changedLines, dumpKernel } from '../kernel-dump.ts'
import { tun } from '../trace/lookups.ts'
import { variantOf, type Backend } from '../variants/variant.ts'
import { claim, type Claim } from './claim.ts'
import { daemonsOf, killAll } from './daemons.ts'
import type { Found, Labs, MadeSite } from './labs.ts'
import { isNotMeasured, measured, type Measured } from './measured.ts'
import type { Notes } from './notes.ts'
import { question } from './question.ts'
import { controlOf, placesOf, type Site } from './site.ts'
import { goesOn, isDead, talkDuring, talkWords, wait, type Talk } from './under-load.ts'

export interface Killed {
  readonly backend: Backend
  /** `node1 flanneld`, ... before and after `kill -9`. */
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly talk: Talk
  /** What the first host's kernel had before and has no more, or has new: `gone: host route: ...`. */
  readonly changed: readonly string[]
  /** With the ordinary neighbours and all caches flushed, and no flanneld. Not where nobody talks any more. */
  readonly flushed?: Talk
}

export interface Deaths {
  /** The running lab, where it never had a flanneld. */
  readonly without?: Found<{ readonly daemons: readonly string[]; readonly talk: Talk }>
  readonly killed: readonly (Found<Killed> & { readonly backend: Backend })[]
}

export const daemonKilled = question<Deaths>({
  number: 3,
  question: 'flanneld stopped: why do pods on different hosts still talk?',
  answer:
    'flanneld only writes entries into the kernel, and the kernel keeps them and carries the packets, so that nothing is lost with vxlan and host-gw; with its udp backend flanneld carries every packet itself, and its device and route die with it.',
  experiment:
    'Every flanneld is killed with -9 under a load between all pairs of hosts, then the caches are flushed; no other daemon lives there. That rules out another plugin, kube-proxy, and entries that are only remembered for a while.',
  gather: deaths,
  claims: claimsOfDeaths,
})

async function deaths({ own, backends, made }: Labs, notes: Notes): Promise<Deaths> {
  const without =
    controlOf(own) === 'static'
      ? { without: { lab: own.name, found: await measured(() => neverThere(own, notes), own.signal) } }
      : {}
  const killed = []
  for (const backend of backends) {
    const variant = variantOf(backend, 'flanneld')
    killed.push({
      lab: variant.name,
      backend,
      found: await made(variant, (site) => kill(site, notes, backend)),
    })
  }
  return { ...without, killed }
}

async function neverThere(site: Site, notes: Notes) {
  notes.begin(site, 'evidence', 'The running lab has no flanneld at all')
  const daemons = await daemonsOf(site, notes)
  const talk = await talkDuring(site, notes, () => wait(site, 2000))
  return { daemons, talk }
}

async function kill(site: MadeSite, notes: Notes, backend: Backend): Promise<Killed> {
  const { near } = placesOf(site)
  notes.begin(site, 'evidence', 'Who runs, and what is in the kernel, before')
  const before = await daemonsOf(site, notes)
  await notes.run(near.host.name, 'ip -4 route')
  if (backend === 'udp') await notes.run(near.host.name, 'ip -d tuntap show')
  const held = await dumpKernel(await site.session(near.host.name), site.signal)

  notes.begin(site, 'experiment', 'kill -9 of every flanneld, under load')
  site.leaveBroken()
  const talk = await talkDuring(site, notes, async () => {
    await wait(site, 1500)
    await killAll(site, notes, 'flanneld')
    await wait(site, 4000)
  })
  const after = await daemonsOf(site, notes)
  await notes.run(near.host.name, 'ip -4 route')
  if (backend === 'udp') await notes.run(near.host.name, `ip link show ${tun}`)
  const changed = changedLines(held, await dumpKernel(await site.session(near.host.name), site.signal))
  const known = { backend, before, after, talk, changed }
  if (!goesOn(talk)) return known

  notes.begin(site, 'experiment', 'No flanneld, and all that is only remembered is flushed, under load')
  const flushed = await talkDuring(site, notes, async () => {
    await wait(site, 1000)
    for (const name of Object.keys(site.plan.hosts))
      await notes.run(name, 'ip neigh flush all; ip route flush cache')
    await wait(site, 2000)
  })
  return { ...known, flushed }
}

export function claimsOfDeaths({ without, killed }: Deaths): Claim[] {
  return [
    ...(without
      ? [
          claim(
            `${without.lab}: pods talk where no flanneld ever ran, and nobody in its place`,
            without.found,
            ({ daemons, talk }) => [
              daemons.length === 0 && goesOn(talk),
              `${daemons.length > 0 ? daemons.join(', ') : 'no daemon'}; ${talkWords(talk)}`,
            ],
          ),
        ]
      : []),
    ...killed.flatMap(({ lab, backend, found }) =>
      backend === 'udp' ? ofCarrier(lab, found) : ofWriter(lab, found),
    ),
  ]
}

/** vxlan and host-gw. */
function ofWriter(lab: string, found: Measured<Killed>): Claim[] {
  return [
    claim(
      `${lab}: pods talk on when every flanneld is killed, by the entries that it wrote`,
      found,
      ({ before, after, talk, changed }) => [
        wasKilled(before, after) && goesOn(talk) && changed.length === 0,
        [
          talkWords(talk),
          deathWords(before, after),
          changed.length === 0 ? 'the kernel holds the same' : changed.join('\n'),
        ].join('\n'),
      ],
    ),
    claim(
      `${lab}: nor is it a cache: with the ordinary neighbours and caches flushed they talk on`,
      isNotMeasured(found) ? found : (found.flushed ?? { notMeasured: 'nobody talked any more' }),
      (talk) => [goesOn(talk), talkWords(talk)],
    ),
  ]
}

/** udp. */
function ofCarrier(lab: string, found: Measured<Killed>): Claim[] {
  return [
    claim(
      `${lab}: nobody talks any more, since flanneld itself carried the packets`,
      found,
      ({ before, after, talk }) => [
        wasKilled(before, after) && isDead(talk),
        [talkWords(talk), deathWords(before, after)].join('\n'),
      ],
    ),
    claim(`${lab}: its device ${tun} and the route into it went with the process`, found, ({ changed }) => [
      changed.some((line) => line.startsWith('gone: host link: ') && line.includes(`${tun}:`)) &&
        changed.some((line) => line.startsWith('gone: host route: ') && line.includes(`dev ${tun}`)),
      changed.filter((line) => line.includes(tun)).join('\n') || 'the kernel holds the same',
    ]),
  ]
}

function wasKilled(before: readonly string[], after: readonly string[]): boolean {
  return before.some(isFlanneld) && !after.some(isFlanneld)
}

function isFlanneld(process: string): boolean {
  return process.endsWith(' flanneld')
}

function deathWords(before: readonly string[], after: readonly string[]): string {
  return `before: ${before.join(', ') || 'no daemon'}; after: ${after.join(', ') || 'no daemon'}`
}
