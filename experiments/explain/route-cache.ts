/** Question 5: what of routing is cached, and how it is seen. */
import { bridge } from '../../overlay/pods.ts'
import { borrow, type Borrowed } from './borrow.ts'
import { claim, type Claim } from './claim.ts'
import { isLost, isWhole, ping, words, type Loss } from './loss.ts'
import { measured, type Measured } from './measured.ts'
import type { Notes } from './notes.ts'
import { question } from './question.ts'
import { placesOf, type Places, type Site } from './site.ts'

export interface Caching {
  readonly host: string
  readonly pod: string
  /** Right after pings that were answered: its entries in `ip route show cache`, and all of /proc/net/rt_cache below its heading. */
  readonly cached: Measured<{ readonly pings: Loss; readonly listed: number; readonly proc: number }>
  /** Routes that net-tools list, and the main table's; only the tools that are installed. */
  readonly tools: readonly { readonly tool: string; readonly listed: number; readonly main: number }[]
  /** A route to one pod is taken in between packets. */
  readonly change: Measured<{ readonly before: Loss; readonly during: Loss; readonly afterwards: Loss }>
  readonly exception: Measured<{
    /** Of the narrow hop. */
    readonly mtu: number
    /** What the hop answered; what the pod's kernel then shows, and how many MTUs there are in `ip route show cache`. */
    readonly told?: number
    readonly shown?: number
    readonly expires: boolean
    readonly before: number
    readonly during: number
    readonly afterwards: number
  }>
}

export const routeCache = question<Caching>({
  number: 5,
  question: 'How does one see the routes that the system has cached?',
  answer:
    'There is no IPv4 route cache since Linux 3.6: `ip route get` shows what the tables decide now, `route -n` and `netstat -rn` show the main table, and `ip route show cache` shows only exceptions that a path taught (its MTU, a redirect).',
  experiment:
    'A route is changed between two packets, and the next packet takes it; a narrow hop is made, its path MTU appears as an exception in the pod that met it, and is flushed. That rules out that pods talk by remembered routes.',
  gather: ({ own }, notes) => caching(own, notes),
  claims: claimsOfCaching,
})

async function caching(site: Site, notes: Notes): Promise<Caching> {
  const places = placesOf(site)
  const { near } = places
  return {
    host: near.host.name,
    pod: near.pod.name,
    cached: await measured(() => afterTraffic(site, notes, places), site.signal),
    tools: await netTools(site, notes, near.host.name),
    change: await measured(() => routeChanged(site, notes, places), site.signal),
    exception: await measured(() => narrowHop(site, notes, places), site.signal),
  }
}

async function afterTraffic(site: Site, notes: Notes, { near, far }: Places) {
  const { name } = near.host
  notes.begin(site, 'evidence', 'What is cached of a way that was used just now')
  await notes.run(name, 'uname -r')
  const pings = await ping(notes, near.pod.name, far.pod.address)
  const { output } = await notes.run(name, 'ip route show cache')
  const proc = await notes.run(name, 'cat /proc/net/rt_cache', { keep: 3 })
  await notes.run(name, `ip route get ${far.pod.address} from ${near.pod.address} iif ${bridge}`)
  return {
    pings,
    listed: entriesIn(output, far.pod.address),
    // One line of headings; a kernel without the file has nothing to list either.
    proc: proc.exitCode === 0 ? Math.max(0, linesIn(proc.output) - 1) : 0,
  }
}

/** Of `ip route show cache` the entries of one destination: lines that are not indented. */
export function entriesIn(output: string, destination: string): number {
  return output.split('\n').filter((line) => line.startsWith(`${destination} `)).length
}

function linesIn(output: string): number {
  return output.split('\n').filter(Boolean).length
}

async function netTools(site: Site, notes: Notes, host: string): Promise<Caching['tools']> {
  notes.begin(site, 'evidence', 'What the older tools show')
  const main = linesIn((await notes.quietly(host, 'ip -4 route show table main')).output)
  const tools = []
  for (const tool of ['route -n', 'netstat -rn']) {
    const { output, exitCode } = await notes.run(host, tool)
    if (exitCode === 0) tools.push({ tool, listed: Math.max(0, linesIn(output) - 2), main })
  }
  return tools
}

async function routeChanged(site: Site, notes: Notes, { near, far }: Places) {
  notes.begin(site, 'experiment', `A route to ${far.pod.name} comes and goes between packets`)
  const before = await ping(notes, near.pod.name, far.pod.address, 2)
  const during = await borrow(notes, routeOn(near.host.name, `unreachable ${far.pod.address}/32`), () =>
    ping(notes, near.pod.name, far.pod.address, 2),
  )
  return { before, during, afterwards: await ping(notes, near.pod.name, far.pod.address, 2) }
}

/** Of IPv4 (20) and ICMP (8), around what ping sends. */
const headers = 28
/** By so much the hop is narrower than the pods' links. */
const narrower = 150
/** Of a route that is only there for the experiment. */
const metric = 4242

async function narrowHop(site: Site, notes: Notes, { near, far }: Places) {
  const mtu = near.host.mtu - narrower
  const pod = near.pod.name
  notes.begin(
    site,
    'experiment',
    `A narrow hop: ${far.host.name} passes on no more than ${mtu} bytes to ${far.pod.name}`,
  )
  const show = async () => mtusIn((await notes.run(pod, 'ip route show cache')).output)
  const before = await show()
  const narrow = `${far.pod.address}/32 dev ${bridge} mtu ${mtu}`
  // The exception belongs to the route that was used: on one of its own it goes with it. Flushed on the pod's default
  // route it would stay, empty.
  const own = `${far.pod.address}/32 via ${near.host.gateway} metric ${metric}`
  const seen = await borrow(notes, routeOn(far.host.name, narrow), () =>
    borrow(notes, routeOn(near.host.name, own, pod), async () => {
      const said = await notes.run(
        pod,
        `ping -n -c 2 -i 0.2 -W 1 -M do -s ${near.host.mtu - headers} ${far.pod.address}`,
        { keep: /Frag needed|message too long|packets transmitted/ },
      )
      const during = await show()
      const get = await notes.run(pod, `ip route get ${far.pod.address}`)
      await notes.run(pod, 'ip route flush cache')
      return {
        ...numberIn('told', /Frag needed.*mtu = (\d+)/, said.output),
        ...numberIn('shown', /\bmtu (\d+)/, get.output),
        expires: /\bexpires \d+sec/.test(get.output),
        during,
        afterwards: await show(),
      }
    }),
  )
  return { mtu, before, ...seen }
}

function routeOn(host: string, route: string, pod?: string): Borrowed {
  const ip = pod === undefined ? 'ip' : `ip -n ${pod}`
  const back = `${ip} route del ${route}`
  return { host, take: `${ip} route add ${route}`, back, backSafely: `${back} 2>/dev/null || :` }
}

/** Of `ip route show cache`: the MTUs that paths have taught. */
export function mtusIn(output: string): number {
  return [...output.matchAll(/\bmtu \d+/g)].length
}

function numberIn<K extends string>(key: K, pattern: RegExp, text: string): Partial<Record<K, number>> {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? {} : ({ [key]: Number(found) } as Partial<Record<K, number>>)
}

export function claimsOfCaching({ host, pod, cached, tools, change, exception }: Caching): Claim[] {
  return [
    claim(
      `${host} has no cached route to a pod that it has just sent packets to`,
      cached,
      ({ pings, listed, proc }) => [
        isWhole(pings) && listed === 0 && proc === 0,
        `${words(pings)}; ${listed} entries for it in \`ip route show cache\`, ${proc} in /proc/net/rt_cache`,
      ],
    ),
    ...tools.map(({ tool, listed, main }): Claim => ({
      claim: `\`${tool}\` shows the main table, and no cache`,
      holds: listed === main,
      because: `${listed} routes; the main table has ${main}`,
    })),
    claim('A changed route counts from the next packet on', change, ({ before, during, afterwards }) => [
      isWhole(before) && isLost(during) && isWhole(afterwards),
      `before ${words(before)}; with the other route ${words(during)}; without it ${words(afterwards)}`,
    ]),
    claim(
      `A path MTU is an exception in the kernel of ${pod}, which sent the packet: \`ip route get\` and \`ip route show cache\` show it, and it can be flushed`,
      exception,
      (e) => [
        e.told === e.mtu && e.shown === e.mtu && e.expires && e.during > e.before && e.afterwards < e.during,
        `the hop said ${e.told ?? 'nothing'}; \`ip route get\` shows ${e.shown === undefined ? 'no MTU' : `mtu ${e.shown}`}${e.expires ? ', and when it expires' : ''}; MTUs in the list before ${e.before}, then ${e.during}, after the flush ${e.afterwards}`,
      ],
    ),
  ]
}
