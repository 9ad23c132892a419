/** Whether a host that exists is fit for the lab: every lack at once. Pure. */
import { overlap, toBlock } from '../../inventory/ipv4.ts'
import { cidr, ifName, type Cidr, type IfName, type Ip } from '../../inventory/values.ts'
import { inTheWay } from '../firewall/firewall.ts'
import { type Facts, type Link, packageOf, type Route } from './facts.ts'
import { overlabCommand } from '../../tools/command-line.ts'

/** What the lab wants of the host. */
export interface Wanted {
  readonly address: Ip
  readonly underlay: Cidr
  /** The pods' network. */
  readonly network: Cidr
  readonly mtu: number
  /** The NIC that the inventory names. */
  readonly nic?: IfName | undefined
  /** The links that the overlay will make, the pods' bridge among them. */
  readonly links: readonly string[]
  readonly bridge: IfName
  /** The UDP port at which peers' packets arrive; undefined where the backend has none. */
  readonly port?: number | undefined
  readonly owner: string
  /** It is to restore its data plane at boot, and to keep network managers from it. */
  readonly persist: boolean
  /**
   * It was fit before, and holds what overlab put there, also where a reboot took the owner's mark. What has come up
   * since does not keep overlab from putting its own right again.
   */
  readonly settled: boolean
  /** By which overlab knows its links and its routes. */
  readonly marks: { readonly alias: string; readonly protocol: number }
}

export interface Verdict {
  /** The NIC that carries the underlay; empty where none was found. */
  readonly nic: IfName | ''
  /** What it reaches without a router. */
  readonly onLink: readonly Cidr[]
  /** Debian packages that are missing and can be installed. */
  readonly packages: readonly string[]
  /** What is wrong, each with what to do; empty = fit, once the packages are there. */
  readonly lacks: readonly string[]
  /** What may cost packets, or would keep a new host out, each with what to type. */
  readonly warnings: readonly string[]
  /** What is worth knowing. */
  readonly notes: readonly string[]
}

/** 5.4 has all that flannel's backends use; older ones may work, and nobody has tried. */
const leastKernel = [5, 4] as const
/** A saved state of a few hundred entries, and the tools' own temporary files. */
const leastFree = 512
/** Seconds; certificates and package lists of the future are refused. */
const mostSkew = 300

/** `now` is this computer's clock in the middle of the question, Unix time in seconds. */
export function judge(facts: Facts, wanted: Wanted, now: number): Verdict {
  const lacks: string[] = []
  const warnings: string[] = []
  const notes: string[] = []
  /** What keeps a new host out, and is only worth a word on one that has its overlay. */
  const lateLacks = wanted.settled ? warnings : lacks
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(facts.kernel) ?? []).slice(1).map(Number)
  if (!facts.kernel.startsWith('Linux')) lacks.push(`it runs ${facts.kernel}; an overlay needs Linux`)
  else if (major < leastKernel[0] || (major === leastKernel[0] && minor < leastKernel[1]))
    lacks.push(`its kernel is ${facts.kernel}; update it to ${leastKernel.join('.')} or newer`)
  const isRoot = facts.uid === 0
  if (!isRoot)
    lacks.push('the user is not root; log in as root, or set become: true and let sudo ask for no password')
  // Without root's rights nothing can be said of these.
  for (const lack of isRoot ? facts.lacks : []) {
    const [kind = '', ...words] = lack.split(' ')
    lacks.push(
      `its kernel makes no ${kind} link (${words.join(' ')}); load or install that module (linux-modules-extra on some clouds)`,
    )
  }
  if (facts.free < leastFree)
    lacks.push(
      `/run has ${facts.free} KiB left, and the state to go back to needs ${leastFree}; free some memory file system`,
    )
  const skew = Math.round(facts.clock - now)
  if (Math.abs(skew) > mostSkew)
    notes.push(
      `its clock is ${Math.abs(skew)} s ${skew > 0 ? 'ahead' : 'behind'}; set it (\`timedatectl set-ntp true\`), or packages may be refused`,
    )

  const packages = [...new Set(facts.missing.map((tool) => packageOf[tool] ?? tool))]
  const isDebian = facts.os.some((word) => word === 'debian' || word === 'ubuntu')
  if (packages.length > 0 && !isDebian)
    lacks.push(
      `${facts.missing.join(', ')} ${facts.missing.length > 1 ? 'are' : 'is'} missing, and overlab installs packages on Debian and Ubuntu only (this is ${facts.os[0] ?? 'unknown'}); install them`,
    )

  if (facts.owner !== '' && facts.owner !== wanted.owner)
    lacks.push(`it belongs to ${facts.owner}; destroy that lab first, a host is in one lab`)
  // Before the first apply nothing here is overlab's; afterwards what has its marks is.
  const ownLinks = new Set(
    facts.links.filter(({ ifalias }) => ifalias === wanted.marks.alias).map(({ ifname }) => ifname),
  )
  for (const { ifname } of facts.links)
    if (wanted.links.includes(ifname) && !ownLinks.has(ifname))
      lacks.push(
        `it has a link ${ifname} that overlab did not make (is it in a Kubernetes cluster?); take it out of that first, or where it is only left over: \`ip link delete ${ifname}\``,
      )
  if (isRoot && facts.owner === '') lacks.push(...foreignChains(facts, wanted))
  const inside = inNetwork(facts, ownLinks, wanted)
  lateLacks.push(...inside.lacks)
  notes.push(...inside.notes)
  const nic = nicOf(facts, wanted, lacks, lateLacks)
  if (isRoot && nic !== '') warnings.push(...firewallWarnings(facts, wanted, nic))
  if (wanted.persist && !facts.hasSystemd)
    notes.push(
      `systemd does not run there: after a reboot \`${overlabCommand('up')}\` gives it its data plane again`,
    )
  if (!wanted.persist && facts.active.includes('systemd-networkd'))
    notes.push('systemd-networkd runs: a restart of it deletes routes and rules that it did not make')
  if (!wanted.persist && facts.active.includes('NetworkManager'))
    notes.push('NetworkManager runs: it may take a new link for its own')
  return {
    nic,
    onLink: onLinkOf(facts, nic, wanted),
    packages: isDebian ? packages : [],
    lacks,
    warnings,
    notes,
  }
}

/** The link that has the address. Another one is never taken: behind NAT the peers' packets would not find it. */
function nicOf(
  { links }: Facts,
  { address, underlay, mtu, nic, settled }: Wanted,
  lacks: string[],
  lateLacks: string[],
): Verdict['nic'] {
  if (links.length === 0) return ''
  const holders = links.filter(({ addr_info }) => addr_info.some(({ local }) => local === address))
  const named = nic && links.find(({ ifname }) => ifname === nic)
  if (nic && !named) {
    lacks.push(`it has no link ${nic}, which the inventory names; it has ${list(links)}`)
    return ''
  }
  const found = named || holders[0]
  if (!found || (named && !holders.includes(named))) {
    const near = links.filter(({ addr_info }) =>
      addr_info.some(({ local }) => local !== undefined && isOverlap(`${local}/32`, underlay)),
    )
    lacks.push(
      `${named ? `${nic} does not have` : 'no link has'} the address ${address}${
        near.length > 0
          ? `; in the underlay ${underlay} is ${list(near)}: give that as its address`
          : `, and none is in the underlay ${underlay}: it has ${list(links)}. Behind NAT its peers could not reach it; give an address that is its own`
      }`,
    )
    return ''
  }
  if (holders.length > 1 && !named) {
    lacks.push(`${list(holders)} both have the address ${address}; say which by nic:`)
    return ''
  }
  if (found.mtu < mtu)
    lateLacks.push(
      settled
        ? `${found.ifname} has an MTU of ${found.mtu}, and the lab counts on ${mtu}: longer packets are lost; type \`ip link set ${found.ifname} mtu ${mtu}\`, or set lab.mtu to ${found.mtu}`
        : `${found.ifname} has an MTU of ${found.mtu}, and the lab counts on ${mtu}; set lab.mtu to ${found.mtu}`,
    )
  const name = ifName.safeParse(found.ifname)
  if (name.success) return name.data
  lacks.push(
    `the link with the address ${address} is called ${JSON.stringify(found.ifname)}; rename it (\`ip link set dev NAME name eth0\`) to letters, digits, dots, dashes and underscores`,
  )
  return ''
}

function list(links: readonly Link[]): string {
  return links
    .filter(({ ifname }) => ifname !== 'lo')
    .map(({ ifname, addr_info }) =>
      [
        ifname,
        ...addr_info
          .filter(({ local }) => local?.includes('.'))
          .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
      ].join(' '),
    )
    .join(', ')
}

/** Chains of another flannel: overlab and it would write over each other, whichever variant of iptables has them. */
function foreignChains({ firewall }: Facts, { settled, network }: Wanted): string[] {
  return (
    firewall.variants
      .filter(({ hasChains }) => hasChains)
      // What a program puts back after a reboot may be overlab's own rules, which name this network.
      .filter(({ flannel }) => !settled || !flannel.some((rule) => rule.includes(` ${network} `)))
      .map(({ tool, flannel }) => {
        const networks = [...new Set(flannel.flatMap((rule) => / -s (\S+) ! -d/.exec(rule)?.[1] ?? []))]
        const whose = networks.length > 0 ? ` (of the network ${networks.join(', ')})` : ''
        return `its iptables has chains FLANNEL-* that overlab did not make${whose}; stop that flannel, and remove them (\`${tool}-save | grep FLANNEL\`)`
      })
  )
}

/**
 * Whose routes and addresses lie in the pods' network. A wider route is no obstacle, since the kernel takes the
 * longest prefix: only what is not a pod's goes that way.
 */
function inNetwork(
  { links, routes }: Facts,
  ownLinks: ReadonlySet<string>,
  wanted: Wanted,
): { lacks: string[]; notes: string[] } {
  const { network } = wanted
  const lacks: string[] = []
  const notes: string[] = []
  const taken = new Set<string>()
  for (const { ifname, addr_info } of links)
    for (const { local = '', prefixlen = 32 } of ownLinks.has(ifname) ? [] : addr_info) {
      if (!isInside(local, network)) continue
      taken.add(local)
      lacks.push(
        `its ${ifname} has the address ${local}/${prefixlen}, which lies in the pod Network ${network}; choose another Network, or take it away: \`ip address del ${local}/${prefixlen} dev ${ifname}\``,
      )
    }
  for (const route of routes) {
    const { dst, gateway, dev, type, prefsrc } = route
    if (isOwn(route, ownLinks, wanted) || dst === 'default' || !isOverlap(dst, network)) continue
    // The kernel's own route to an address that was told already.
    if (String(route.protocol) === 'kernel' && prefsrc !== undefined && taken.has(prefsrc)) continue
    const words = [type, dst, gateway && `via ${gateway}`, dev && `dev ${dev}`].filter(Boolean).join(' ')
    if (isInside(dst, network))
      lacks.push(
        `it has a route ${words}, which lies in the pod Network ${network}; choose another Network, or take it away: \`ip route del ${words}\``,
      )
    else
      notes.push(
        `it has a route ${words}, wider than the pod Network ${network}: what is in both and no pod's goes that way`,
      )
  }
  return { lacks, notes }
}

/** By the main table: whatever is sent there without a gateway. */
function onLinkOf({ routes }: Facts, nic: string, { marks }: Wanted): Cidr[] {
  return routes.flatMap(({ dst, dev, gateway, type = 'unicast', protocol }) => {
    const isOurs = String(protocol) === String(marks.protocol)
    if (dev !== nic || gateway !== undefined || type !== 'unicast' || isOurs) return []
    const prefix = cidr.safeParse(dst.includes('/') ? dst : `${dst}/32`)
    return prefix.success ? [prefix.data] : []
  })
}

function firewallWarnings({ firewall, hasFou }: Facts, wanted: Wanted, nic: string): string[] {
  const { address, underlay, network, links, bridge, port } = wanted
  const device = links.find((link) => link !== bridge)
  return inTheWay(firewall, {
    ...{ nic, address, underlay, network, bridge },
    device: device ?? nic,
    // udp by BPF takes packets from the NIC before any firewall sees them.
    port: device === undefined && !hasFou ? undefined : port,
  })
}

function isOwn({ dev, protocol: by }: Route, ownLinks: ReadonlySet<string>, { marks }: Wanted): boolean {
  return String(by) === String(marks.protocol) || (dev !== undefined && ownLinks.has(dev))
}

/** Whether all of the prefix, or the address, lies in the network. */
function isInside(prefix: string, network: Cidr): boolean {
  if (!isOverlap(prefix, network)) return false
  const length = prefix.includes('/') ? Number(prefix.split('/')[1]) : 32
  return length >= toBlock(network).length
}

function isOverlap(prefix: string, network: Cidr): boolean {
  if (!/^[0-9.]+(\/[0-9]+)?$/.test(prefix)) return false
  return overlap(toBlock((prefix.includes('/') ? prefix : `${prefix}/32`) as Cidr), toBlock(network))
}
