/** Question 8: the kernel's routing tables, asked in every way that there is, on every host. */
import { readEntries, textOf, type Entry } from '../../modules/json.ts'
import { longest } from '../trace/kernel.ts'
import { borrow } from './borrow.ts'
import { claim, type Claim } from './claim.ts'
import { measured, type Measured } from './measured.ts'
import type { Notes } from './notes.ts'
import { question } from './question.ts'
import { hostsOf, type Site } from './site.ts'

export interface HostTables {
  readonly host: string
  readonly tables: Measured<{
    /** The main table's prefixes by `ip -j route`, and by each of the others what that does not have. */
    readonly main: readonly string[]
    readonly notInProc: readonly string[]
    readonly notInTrie: readonly string[]
    /** One for each pod elsewhere: what `ip route get` decides, and the longest prefix of the main table. */
    readonly lookups: readonly { readonly to: string; readonly decided: string; readonly longest: string }[]
  }>
}

export interface Tables {
  readonly hosts: readonly HostTables[]
  readonly host: string
  /** A table of one's own, with a rule that leads to it. */
  readonly own: Measured<{
    readonly before: string
    readonly during: string
    readonly afterwards: string
    readonly inMain: boolean
    readonly inRoute: Measured<{ readonly shown: boolean }>
    readonly inAll: boolean
  }>
}

export const routingTables = question<Tables>({
  number: 8,
  question: "The kernel's routing table, and how to query it",
  answer:
    'There are several tables, tried in the order of `ip rule`: `ip route show table all` lists them, `ip -j` as JSON, `ip route get` asks the kernel to decide; `ip route`, `route -n` and /proc/net/route show only the main one, /proc/net/fib_trie the main and the local one as the tree that is searched.',
  experiment:
    "A table and a rule of one's own are added for an address that nobody has: `ip route get` follows them at once, while `ip route` and `route -n` do not show them. That rules out that what `ip route` prints is all that decides.",
  gather: ({ own }, notes) => tables(own, notes),
  claims: claimsOfTables,
})

async function tables(site: Site, notes: Notes): Promise<Tables> {
  const hosts: HostTables[] = []
  for (const [at, host] of hostsOf(site).entries())
    hosts.push({
      host: host.name,
      tables: await measured(() => tablesOf(site, notes, host.name, at === 0), site.signal),
    })
  const [first] = hostsOf(site)
  return {
    hosts,
    host: first!.name,
    own: await measured(() => ownTable(site, notes, first!.name), site.signal),
  }
}

/** `whole`: everything is shown, of the others what differs from host to host. */
async function tablesOf(site: Site, notes: Notes, host: string, whole: boolean) {
  notes.begin(site, 'evidence', `The tables of ${host}`)
  await notes.run(host, 'ip rule')
  await (whole ? notes.run(host, 'ip -4 route show table all') : notes.run(host, 'ip -4 route'))
  const { output } = await notes.quietly(host, 'ip -4 -j route show table main')
  const routes = readEntries(output, 'ip -j route')
  const main = routes.map(prefixOf)
  const proc = whole
    ? await notes.run(host, 'cat /proc/net/route')
    : await notes.quietly(host, 'cat /proc/net/route')
  const trie = whole
    ? await notes.run(host, 'cat /proc/net/fib_trie', { keep: 14 })
    : await notes.quietly(host, 'cat /proc/net/fib_trie')
  const [inProc, inTrie] = [prefixesOfProc(proc.output), prefixesOfTrie(trie.output)]
  const lookups = []
  for (const { pods, name } of hostsOf(site)) {
    const [pod] = pods
    if (!pod || name === host) continue
    await notes.run(host, `ip route get ${pod.address}`)
    const got = await notes.quietly(host, `ip -j route get ${pod.address}`)
    // What is no JSON is the kernel's refusal.
    const [decided] = got.output.startsWith('[') ? readEntries(got.output, 'ip -j route get') : []
    const best = longest(
      routes.map((route) => [prefixOf(route), wayOf(route)] as const),
      pod.address,
    )
    lookups.push({
      to: pod.address,
      decided: decided ? wayOf(decided) : refused,
      longest: best ? best[1] : 'none',
    })
  }
  const [{ to } = {}] = lookups
  if (whole && to !== undefined) await notes.run(host, `ip -j -p route get ${to}`)
  return {
    main,
    notInProc: main.filter((prefix) => !inProc.includes(prefix)),
    notInTrie: main.filter((prefix) => !inTrie.includes(prefix)),
    lookups,
  }
}

function prefixOf(route: Entry): string {
  const to = textOf(route, 'dst')
  return to === 'default' ? '0.0.0.0/0' : to.includes('/') ? to : `${to}/32`
}

/** The kernel gives no way by an `unreachable`, `prohibit` or `blackhole` route, but an error. */
const refused = 'refused'

function wayOf(route: Entry): string {
  if (['unreachable', 'prohibit', 'blackhole'].includes(textOf(route, 'type'))) return refused
  const via = textOf(route, 'gateway')
  return `${via === '' ? '' : `via ${via} `}dev ${textOf(route, 'dev')}`
}

/** Pure. /proc/net/route: destination and mask as hex numbers in the byte order of the machine, here the little end first. */
export function prefixesOfProc(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const words = line.trim().split(/\s+/)
      const [destination, mask] = [words[1], words[7]]
      if (destination === undefined || mask === undefined) return []
      const bits = bytesOf(mask).reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
      return [`${bytesOf(destination).join('.')}/${bits}`]
    })
}

function bytesOf(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((byte) => parseInt(byte, 16)).toReversed()
}

/** Pure. /proc/net/fib_trie: a leaf is an address, and below it its prefixes' lengths. */
export function prefixesOfTrie(text: string): string[] {
  let leaf = ''
  return text.split('\n').flatMap((line) => {
    leaf = /\|-- ([\d.]+)/.exec(line)?.[1] ?? leaf
    const length = /^\s+\/(\d+) \w+ [A-Z]+/.exec(line)?.[1]
    return length === undefined ? [] : [`${leaf}/${length}`]
  })
}

/** Of no network that anybody has (RFC 5737), and a table that nobody is likely to have. */
const nobodys = { network: '198.51.100.0/24', address: '198.51.100.7', table: 4242 } as const

async function ownTable(site: Site, notes: Notes, host: string) {
  const { network, address, table } = nobodys
  notes.begin(site, 'experiment', `A table of one's own on ${host}, and a rule that leads to it`)
  const decide = async () =>
    (await notes.run(host, `ip route get ${address}`)).output.trim().split('\n')[0]!.trim()
  const shows = (output: string) => output.includes(network)
  const before = await decide()
  const during = await borrow(
    notes,
    {
      host,
      take: `ip route add ${network} dev lo table ${table} && ip rule add to ${network} lookup ${table}`,
      back: `ip rule del to ${network} lookup ${table}; ip route flush table ${table}`,
      backSafely: `while ip rule del to ${network} lookup ${table} 2>/dev/null; do :; done; ip route flush table ${table} 2>/dev/null || :`,
    },
    async () => {
      await notes.run(host, 'ip rule')
      const decided = await decide()
      const main = await notes.run(host, 'ip -4 route')
      const all = await notes.run(host, 'ip -4 route show table all', { keep: / table \d+/ })
      const old = await notes.run(host, 'route -n')
      return {
        during: decided,
        inMain: shows(main.output),
        inAll: shows(all.output),
        inRoute:
          old.exitCode === 0
            ? { shown: old.output.includes('198.51.100.0') }
            : { notMeasured: 'route is not installed' },
      }
    },
  )
  return { before, ...during, afterwards: await decide() }
}

export function claimsOfTables({ hosts, host, own }: Tables): Claim[] {
  return [
    ...hosts.map((one) =>
      claim(
        `${one.host}: \`ip -j route\`, /proc/net/route and /proc/net/fib_trie show the same main table`,
        one.tables,
        ({ main, notInProc, notInTrie }) => [
          main.length > 0 && notInProc.length === 0 && notInTrie.length === 0,
          `${main.length} routes; missing in /proc/net/route: ${notInProc.join(' ') || 'none'}; in fib_trie: ${notInTrie.join(' ') || 'none'}`,
        ],
      ),
    ),
    ...hosts.map((one) =>
      claim(
        `${one.host}: for a pod elsewhere \`ip route get\` decides by the longest prefix`,
        one.tables,
        ({ lookups }) => [
          lookups.length > 0 && lookups.every(({ decided, longest }) => decided === longest),
          lookups
            .map(
              ({ to, decided, longest }) =>
                `${to}: ${decided}${decided === longest ? '' : `, but the table says ${longest}`}`,
            )
            .join('\n') || 'no pod elsewhere',
        ],
      ),
    ),
    claim(
      `${host}: a rule leads to another table, which \`ip route get\` follows and \`ip route\` does not show`,
      own,
      (of) => [
        of.during.includes('dev lo table') &&
          of.during !== of.before &&
          of.afterwards === of.before &&
          of.inAll &&
          !of.inMain &&
          !('shown' in of.inRoute && of.inRoute.shown),
        `before: ${of.before}\nwith it: ${of.during}\nafterwards: ${of.afterwards}`,
      ],
    ),
  ]
}
