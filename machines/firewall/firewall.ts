/** What of a host's own firewall would stop an overlay, and what to type about it. Pure. */
import type { Cidr, Ip } from '../../inventory/values.ts'
import { harmless } from '../../inventory/harmless.ts'
import { hookChain, outcomeOf, readFilterTable, type FilterTable } from './iptables.ts'
import { noRuleset, obstacles, readRuleset, type Ruleset } from './nft.ts'
import type { Packet } from './packet.ts'

export interface Firewall {
  /** One a variant of iptables that is there, the host's default one first: the tool's name without `-save`. */
  readonly variants: readonly Variant[]
  readonly nft: Ruleset
}

export interface Variant {
  readonly tool: string
  readonly filter: FilterTable
  /** Rules in chains of flannel's, of all tables: `-A FLANNEL-FWD -s 10.244.0.0/16 -j ACCEPT`. */
  readonly flannel: readonly string[]
  /** There are such chains. */
  readonly hasChains: boolean
}

/**
 * Shell lines that print `rules TOOL TABLE LINE` for each line of `iptables-save` that matters here, of every variant
 * that is there, and `nft RULESET` as JSON. As iptables-save goes without `-t`, no table is made.
 */
export const firewallLines = `
for tool in iptables-save iptables-nft-save iptables-legacy-save; do
  command -v $tool >/dev/null || continue
  [ $tool = iptables-save ] || ! [ "$(command -v $tool)" -ef "$(command -v iptables-save)" ] || continue
  [ $tool != iptables-legacy-save ] || { read -r _ </proc/net/ip_tables_names; } 2>/dev/null || continue
  echo "variant \${tool%-save}"
  $tool 2>/dev/null | awk -v tool=\${tool%-save} '/^[*]/ { t = substr($1, 2) } /^(:|-A )/ && (t == "filter" || /FLANNEL-/) { print "rules " tool " " t " " $0 }' | head -n 5000
done
if command -v nft >/dev/null; then echo "nft $(nft -j list ruleset 2>/dev/null | tr -d '\\n' | head -c 2000000)"; fi`

/** Reads what `firewallLines` printed, by the first word of each line. */
export function readFirewall(all: (word: string) => readonly string[]): Firewall {
  // A rule holds whatever its maker wrote as a comment, and is shown.
  const rules = all('rules').map((line) => /^(\S+) (\S+) (.*)$/.exec(harmless(line)) ?? [])
  return {
    variants: all('variant').map((tool): Variant => {
      const own = rules.filter(([, of]) => of === tool)
      const flannel = own.flatMap(([, , , line = '']) => (/^(:|-A )FLANNEL-/.test(line) ? [line] : []))
      return {
        tool,
        filter: readFilterTable(own.flatMap(([, , table, line = '']) => (table === 'filter' ? [line] : []))),
        flannel: flannel.filter((line) => line.startsWith('-A ')),
        hasChains: flannel.length > 0,
      }
    }),
    nft: readRuleset(all('nft')[0] ?? '') ?? noRuleset,
  }
}

/** What goes through a host of an overlay. */
export interface Traffic {
  readonly nic: string
  readonly address: Ip
  /** Where peers' packets come from. */
  readonly underlay: Cidr
  /** The pods' network. */
  readonly network: Cidr
  /** The UDP port at which peers' packets arrive; undefined where no socket or device of the host takes them. */
  readonly port?: number | undefined
  /** The link by which the pods' packets come out of their envelope, and the pods' bridge. */
  readonly device: string
  readonly bridge: string
}

/** One sentence each: which rule of whom throws away what the overlay needs, and the lines that let it pass. */
export function inTheWay(firewall: Firewall, traffic: Traffic): string[] {
  const { nic, address, underlay, network, port, device, bridge } = traffic
  const between = { hook: 'forward', source: network, destination: network, protocol: 'tcp' } as const
  // To a port that no rule of anybody is likely to name.
  const forwarded: readonly Packet[] = [
    { ...between, in: bridge, out: device, port: 47979 },
    { ...between, in: device, out: bridge, port: 47979 },
  ]
  const arriving: readonly Packet[] =
    port === undefined
      ? []
      : [
          {
            hook: 'input',
            in: nic,
            source: underlay,
            destination: `${address}/32` as Cidr,
            protocol: 'udp',
            port,
          },
        ]
  const found = [
    ...firewall.variants.flatMap((variant, index) => [
      ...first(arriving, (packet) => iptablesFinding(variant, packet, traffic, true)),
      // overlab's jump comes after the last rule, and before the policy; of a variant that it does not use, never.
      ...first(forwarded, (packet) => iptablesFinding(variant, packet, traffic, index > 0)),
    ]),
    ...first(arriving, (packet) => nftFinding(firewall.nft, packet, traffic)),
    ...first(forwarded, (packet) => nftFinding(firewall.nft, packet, traffic)),
  ]
  return [...new Set(found)]
}

function first(packets: readonly Packet[], finding: (packet: Packet) => string | undefined): string[] {
  for (const packet of packets) {
    const found = finding(packet)
    if (found !== undefined) return [found]
  }
  return []
}

function iptablesFinding(
  { tool, filter }: Variant,
  packet: Packet,
  traffic: Traffic,
  policyCounts: boolean,
): string | undefined {
  const chain = hookChain(packet)
  const outcome = outcomeOf(filter, packet)
  const policy = filter.policies.get(chain)
  const isPolicy = outcome.kind === 'through' && policyCounts && policy === 'DROP'
  if (outcome.kind !== 'blocked' && !isPolicy) return undefined
  const by = outcome.kind === 'blocked' ? outcome.by : `policy DROP of ${chain}`
  return `${what(packet, traffic)}: ${tool}: ${by}; type ${lines(iptablesRemedy(tool, filter, packet, traffic))}`
}

function nftFinding(set: Ruleset, packet: Packet, traffic: Traffic): string | undefined {
  const [found] = obstacles(set, packet)
  if (!found) return undefined
  const by = found.by.startsWith('policy') ? `${found.by} of ${found.chain}` : found.by
  return `${what(packet, traffic)}: nft: ${by}; type ${lines(nftRemedy(found.chain, packet, traffic))}`
}

function what({ hook }: Packet, { port, underlay, network }: Traffic): string {
  return hook === 'input'
    ? `its firewall lets nobody in at UDP port ${port}, where packets of its peers in ${underlay} arrive`
    : `its firewall throws away what it forwards between pods of ${network}`
}

function lines(commands: readonly string[]): string {
  return `${commands.map((command) => `\`${command}\``).join(' and ')} (and keep it: docs/hosts.md, Firewalls)`
}

function iptablesRemedy(tool: string, filter: FilterTable, packet: Packet, traffic: Traffic): string[] {
  const { port, underlay, network } = traffic
  const isUfw = filter.chains.has('ufw-user-input')
  if (packet.hook === 'input')
    return isUfw
      ? [`ufw allow proto udp from ${underlay} to any port ${port}`]
      : [`${tool} -I INPUT -s ${underlay} -p udp --dport ${port} -j ACCEPT`]
  return isUfw
    ? [`ufw route allow from ${network}`, `ufw route allow to ${network}`]
    : [`${tool} -I FORWARD -s ${network} -j ACCEPT`, `${tool} -I FORWARD -d ${network} -j ACCEPT`]
}

function nftRemedy(chain: string, { hook }: Packet, { port, underlay, network }: Traffic): string[] {
  const isFirewalld = chain.split(' ')[1] === 'firewalld'
  if (hook === 'input')
    return isFirewalld
      ? [`firewall-cmd --add-port=${port}/udp`]
      : [`nft insert rule ${chain} ip saddr ${underlay} udp dport ${port} accept`]
  return isFirewalld
    ? [`firewall-cmd --zone=trusted --add-source=${network}`]
    : [
        `nft insert rule ${chain} ip saddr ${network} accept`,
        `nft insert rule ${chain} ip daddr ${network} accept`,
      ]
}
