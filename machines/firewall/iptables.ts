/** What becomes of a packet in the filter table of iptables, by what `iptables-save` prints. Pure. */
import {
  accepted,
  all,
  fitsLink,
  fitsPort,
  fitsPrefix,
  fitsProtocol,
  fitsState,
  not,
  returned,
  some,
  through,
  unsure,
  walk,
  type Deed,
  type Fit,
  type Outcome,
  type Packet,
} from './packet.ts'

/** The filter table. */
export interface FilterTable {
  /** Chain -> its rules, as `iptables-save` prints them after `-A CHAIN`. */
  readonly chains: ReadonlyMap<string, readonly string[]>
  /** Of the built-in chains: `ACCEPT`, `DROP`. */
  readonly policies: ReadonlyMap<string, string>
}

/** Reads lines `:FORWARD DROP [0:0]` and `-A FORWARD ...`, of the filter table alone. */
export function readFilterTable(lines: readonly string[]): FilterTable {
  const chains = new Map<string, string[]>()
  const policies = new Map<string, string>()
  for (const line of lines) {
    const [, chain, policy] = /^:(\S+) (\S+)/.exec(line) ?? []
    if (chain !== undefined) {
      chains.set(chain, [])
      if (policy !== '-') policies.set(chain, policy!)
      continue
    }
    const [, name, rule] = /^(?:\[\d+:\d+\] )?-A (\S+) ?(.*)$/.exec(line) ?? []
    if (name !== undefined) (chains.get(name) ?? chains.set(name, []).get(name)!).push(rule!)
  }
  return { chains, policies }
}

/** The policy is left out: `through` = no rule of the chain decides. */
export function outcomeOf(table: FilterTable, packet: Packet, chain = hookChain(packet), depth = 0): Outcome {
  // Longer ways than any host has are a loop.
  if (depth > 32) return unsure
  return walk(
    (table.chains.get(chain) ?? []).map((rule) => {
      const { fit, target, isGoto } = readRule(rule, packet)
      return {
        fit,
        deed: (): Deed => {
          if (target === 'ACCEPT') return accepted
          if (target === 'DROP' || target === 'REJECT') return { kind: 'blocked', by: `-A ${chain} ${rule}` }
          if (target === 'RETURN') return returned
          if (target.endsWith('QUEUE')) return unsure
          // LOG, MARK and the like let the packet go on.
          if (!table.chains.has(target)) return through
          const within = outcomeOf(table, packet, target, depth + 1)
          return isGoto && within.kind === 'through' ? returned : within
        },
      }
    }),
  )
}

export function hookChain({ hook }: Packet): string {
  return hook === 'input' ? 'INPUT' : 'FORWARD'
}

interface ReadRule {
  readonly fit: Fit
  /** Empty where the rule only counts. */
  readonly target: string
  readonly isGoto: boolean
}

function readRule(rule: string, packet: Packet): ReadRule {
  const words = [...rule.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  )
  const fits: Fit[] = []
  let target = ''
  let isGoto = false
  let negated = false
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '!') {
      negated = true
      continue
    }
    if (word === '-j' || word === '-g') {
      target = words[at + 1] ?? ''
      isGoto = word === '-g'
      // What follows belongs to the target (`--reject-with ...`).
      break
    }
    // `-m NAME` says that words of that kind follow; a comment says nothing.
    if (word === '-m' || word === '--comment') {
      if (word === '-m' && !known.has(words[at + 1] ?? '')) fits.push('maybe')
      at++
      continue
    }
    const fit = words[at + 1] === undefined ? undefined : fitsWord(word, words[at + 1]!, packet)
    fits.push(fit === undefined ? 'maybe' : negated ? not(fit) : fit)
    negated = false
    at++
  }
  return { fit: all(fits), target, isGoto }
}

/** Matches whose words are understood here. */
const known = new Set(['comment', 'tcp', 'udp', 'icmp', 'conntrack', 'state', 'multiport', 'addrtype'])

function fitsWord(word: string, value: string, packet: Packet): Fit | undefined {
  const ports = () => some(value.split(',').map((range) => fitsPort(packet.port, range)))
  switch (word) {
    case '-s':
      return fitsPrefix(packet.source, value)
    case '-d':
      return fitsPrefix(packet.destination, value)
    case '-i':
      return fitsLink(packet.in, value)
    case '-o':
      return fitsLink(packet.out, value)
    case '-p':
      return fitsProtocol(packet, value)
    case '--state':
    case '--ctstate':
      return fitsState(value.split(','))
    case '--dport':
    case '--dports':
      return ports()
    case '--sport':
    case '--sports':
      // Of a new connection it is any high port.
      return some(value.split(',').map((range) => fitsPort(40000, range))) === 'no' ? 'no' : 'maybe'
    case '--dst-type':
      return (value === 'LOCAL') === (packet.hook === 'input') && ['LOCAL', 'UNICAST'].includes(value)
        ? 'yes'
        : 'no'
    default:
      return undefined
  }
}
