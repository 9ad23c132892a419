/** What `impairments` says of a host's links: for all its peers, and instead of that for some of them. */
import type { Grouped, Variable } from './groups.ts'
import type { Impairment, Impairments } from './inventory.ts'
import type { Path, Report } from './mistakes.ts'
import { readVariable } from './numbers.ts'
import { microsecondsOf } from './quantities.ts'
import { suggestion } from './suggest.ts'
import type { Name } from './values.ts'

/** Longer packets than these would need a deeper token bucket than the slowest rates can bear; jumbo frames have 9000. */
const mostMtu = 16_000

/** Pure. By the host's name; a host without the variable is missing. `mtu` is the underlay's. */
export function impairmentsOf(
  grouped: Grouped,
  mtu: number | undefined,
  report: Report,
): ReadonlyMap<string, Impairments> {
  const found = new Map<string, Impairments>()
  const known = { names: new Set<string>(grouped.hosts.map(({ name }) => name)), groups: grouped.groups }
  // What hosts of a group share is looked at once.
  const read = new Map<Variable, Impairments>()
  for (const host of grouped.hosts) {
    const given = readVariable(host, 'impairments')
    if (typeof given !== 'object') continue
    const { toward = {}, ...all } = given.value
    const { path } = given.variable
    let shared = read.get(given.variable)
    if (!shared) {
      check(all, path, mtu, report)
      for (const [name, one] of Object.entries(toward))
        check(one ?? {}, [...path, 'toward', name], mtu, report)
      shared = { all, toward: peersOf(toward, known, path, report) }
      read.set(given.variable, shared)
    }
    // A group's variable may name all of its hosts; none has a link to itself.
    const peers = { ...shared.toward }
    delete peers[host.name]
    found.set(host.name, { all: shared.all, toward: peers })
  }
  return found
}

/** The variable as a file has it. */
export function impairmentsAsWritten({ all, toward }: Impairments): object {
  return { ...all, ...(Object.keys(toward).length > 0 && { toward }) }
}

function check(one: Impairment, path: Path, mtu: number | undefined, report: Report): void {
  const { rate, delay, jitter } = one
  if (jitter !== undefined && delay === undefined)
    report({
      path: [...path, 'jitter'],
      what: 'jitter varies a delay, and there is none',
      todo: `add delay: ${jitter}`,
    })
  else if (jitter !== undefined && microsecondsOf(jitter) > microsecondsOf(delay!))
    report({
      path: [...path, 'jitter'],
      what: `${jitter} is more than the delay ${delay}, which it lengthens and shortens`,
      todo: `use ${delay} or less`,
    })
  if (rate !== undefined && mtu !== undefined && mtu > mostMtu)
    report({
      path: [...path, 'rate'],
      what: `a rate cannot be kept with packets of ${mtu} bytes (lab.mtu)`,
      todo: `use a lab.mtu of ${mostMtu} or less`,
    })
}

/** Names of groups stand for their hosts. A host's own name goes before its groups', an inner group's before an outer one's. */
function peersOf(
  toward: Readonly<Record<string, Impairment | null>>,
  { names, groups }: { readonly names: ReadonlySet<string>; readonly groups: Grouped['groups'] },
  path: Path,
  report: Report,
): Record<Name, Impairment> {
  const peers: Record<Name, Impairment> = {}
  for (const [group, members] of groups)
    if (Object.hasOwn(toward, group)) for (const name of members) peers[name] = toward[group] ?? {}
  for (const [name, one] of Object.entries(toward)) {
    if (names.has(name)) peers[name as Name] = one ?? {}
    else if (!groups.has(name))
      report({
        path: [...path, 'toward', name],
        atKey: true,
        what: `there is no host or group ${name}`,
        get todo() {
          return suggestion(name, [...names, ...groups.keys()])
        },
      })
  }
  return peers
}
