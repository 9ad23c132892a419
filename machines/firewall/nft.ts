/** What becomes of a packet in the chains of nftables, by what `nft -j list ruleset` prints. Pure. */
import { z } from 'zod'
import { parseAnswer } from '../../inventory/json.ts'
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

const entry = z.object({
  chain: z
    .object({
      family: z.string(),
      table: z.string(),
      name: z.string(),
      type: z.string().optional(),
      hook: z.string().optional(),
      prio: z.union([z.number(), z.string()]).optional(),
      policy: z.string().optional(),
    })
    .optional(),
  rule: z
    .object({
      family: z.string(),
      table: z.string(),
      chain: z.string(),
      handle: z.number().optional(),
      expr: z.array(z.record(z.string(), z.unknown())).default([]),
    })
    .optional(),
})
const ruleset = z.object({ nftables: z.array(entry) })

type Chain = NonNullable<z.infer<typeof entry>['chain']>
type Rule = NonNullable<z.infer<typeof entry>['rule']>

export interface Ruleset {
  readonly chains: readonly Chain[]
  readonly rules: readonly Rule[]
}

export const noRuleset: Ruleset = { chains: [], rules: [] }

/** Undefined where it is none, or not a whole one. */
export function readRuleset(json: string): Ruleset | undefined {
  if (json.trim() === '') return noRuleset
  try {
    const { nftables } = parseAnswer(ruleset, json, '`nft -j list ruleset`')
    return {
      chains: nftables.flatMap(({ chain }) => (chain ? [chain] : [])),
      rules: nftables.flatMap(({ rule }) => (rule ? [rule] : [])),
    }
  } catch {
    return undefined
  }
}

export interface Obstacle {
  /** `inet firewalld filter_FORWARD`: family, table and name of the chain that the kernel calls. */
  readonly chain: string
  /** `reject with icmpx admin-prohibited in inet firewalld filter_FORWARD`, or `policy drop`. */
  readonly by: string
  readonly handle?: number
}

/** The base chains that throw the packet away for certain: a packet has to pass all of them. */
export function obstacles(set: Ruleset, packet: Packet): Obstacle[] {
  return set.chains
    .filter((chain) => chain.hook === packet.hook && isIpv4(chain.family) && !isOfIptables(chain))
    .flatMap((chain): Obstacle[] => {
      const place = placeOf(chain)
      const outcome = outcomeOf(set, chain.family, chain.table, chain.name, packet)
      if (outcome.kind === 'blocked') return [{ chain: place, by: outcome.by }]
      return outcome.kind === 'through' && chain.policy === 'drop'
        ? [{ chain: place, by: 'policy drop' }]
        : []
    })
}

function placeOf({ family, table, name }: Pick<Chain, 'family' | 'table' | 'name'>): string {
  return `${family} ${table} ${name}`
}

function isIpv4(family: string): boolean {
  return family === 'ip' || family === 'inet'
}

/** iptables-nft keeps its tables in nftables; they are read by its own tool. */
function isOfIptables({ family, table, name }: Chain): boolean {
  return (
    family === 'ip' &&
    ['filter', 'nat', 'mangle', 'raw', 'security'].includes(table) &&
    ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'].includes(name)
  )
}

function outcomeOf(
  set: Ruleset,
  family: string,
  table: string,
  chain: string,
  packet: Packet,
  depth = 0,
): Outcome {
  if (depth > 32) return unsure
  const rules = set.rules.filter(
    (rule) => rule.family === family && rule.table === table && rule.chain === chain,
  )
  return walk(rules.flatMap((rule) => stepsOf(rule)))

  /** A rule is its matches and then what it does; a map of verdicts is a rule for each of its entries. */
  function stepsOf({ expr }: Rule): { fit: Fit; deed: () => Deed }[] {
    const fits: Fit[] = []
    for (const statement of expr) {
      const [kind = '', body] = Object.entries(statement)[0] ?? []
      if (kind === 'match') fits.push(fitsMatch(body, packet))
      else if (kind === 'limit' || kind === 'xt') fits.push('maybe')
      else if (kind === 'vmap') return mapSteps(body, all(fits))
      else if (verdicts.has(kind)) return [{ fit: all(fits), deed: () => deedOf(kind, body) }]
    }
    return []
  }

  function mapSteps(body: unknown, before: Fit): { fit: Fit; deed: () => Deed }[] {
    const read = verdictMap.safeParse(body)
    if (!read.success) return [{ fit: 'maybe', deed: () => unsure }]
    return read.data.data.set.map(([value, verdict]) => {
      const [kind = '', target] = Object.entries(verdict)[0] ?? []
      const fit = all([before, fitsValue(read.data.key, value, packet)])
      return { fit, deed: () => deedOf(kind, target) }
    })
  }

  function deedOf(kind: string, body: unknown): Deed {
    if (kind === 'accept') return accepted
    if (kind === 'drop' || kind === 'reject')
      return { kind: 'blocked', by: `${verdictText(kind, body)} in ${family} ${table} ${chain}` }
    if (kind === 'return') return returned
    if (kind === 'continue') return through
    if (kind !== 'jump' && kind !== 'goto') return unsure
    const target = targetOf.safeParse(body)
    if (!target.success) return unsure
    const within = outcomeOf(set, family, table, target.data.target, packet, depth + 1)
    return kind === 'goto' && within.kind === 'through' ? returned : within
  }
}

const verdicts = new Set(['accept', 'drop', 'reject', 'return', 'continue', 'jump', 'goto', 'queue'])
const targetOf = z.object({ target: z.string() })
const verdictMap = z.object({
  key: z.unknown(),
  data: z.object({ set: z.array(z.tuple([z.unknown(), z.record(z.string(), z.unknown())])) }),
})

/** As `nft list ruleset` writes it. */
function verdictText(kind: string, body: unknown): string {
  const read = z.object({ type: z.string().optional(), expr: z.string().optional() }).safeParse(body)
  if (kind !== 'reject' || !read.success || read.data.type === undefined) return kind
  return `reject with ${read.data.type}${read.data.expr === undefined ? '' : ` ${read.data.expr}`}`
}

const matchOf = z.object({ op: z.string().default('=='), left: z.unknown(), right: z.unknown() })

function fitsMatch(body: unknown, packet: Packet): Fit {
  const read = matchOf.safeParse(body)
  if (!read.success) return 'maybe'
  const { op, left, right } = read.data
  if (!['==', '!=', 'in'].includes(op)) return 'maybe'
  const fit = fitsValue(left, right, packet)
  return op === '!=' ? not(fit) : fit
}

const left = z.object({
  meta: z.object({ key: z.string() }).optional(),
  ct: z.object({ key: z.string() }).optional(),
  payload: z.object({ protocol: z.string(), field: z.string() }).optional(),
})

/** Whether what `key` reads from the packet is `value`: a word, a number, a prefix, a range, or a list of these. */
function fitsValue(key: unknown, value: unknown, packet: Packet): Fit {
  const words = wordsOf(value)
  const read = left.safeParse(key)
  if (!read.success || !words) return 'maybe'
  const { meta, ct, payload } = read.data
  const any = (fits: (word: string) => Fit): Fit => some(words.map(fits))
  if (meta)
    switch (meta.key) {
      case 'iif':
      case 'iifname':
        return any((word) => fitsLink(packet.in, word))
      case 'oif':
      case 'oifname':
        return any((word) => fitsLink(packet.out, word))
      case 'l4proto':
        return any((word) => fitsProtocol(packet, word))
      case 'nfproto':
        return any((word) => (word === 'ipv4' || word === '2' ? 'yes' : 'no'))
      case 'protocol':
        return any((word) => (word === 'ip' ? 'yes' : 'no'))
      default:
        return 'maybe'
    }
  if (ct?.key === 'state') return fitsState(words)
  // The first packet of a connection that nobody translates.
  if (ct?.key === 'status') return words.every((word) => ['dnat', 'snat'].includes(word)) ? 'no' : 'maybe'
  if (!payload) return 'maybe'
  const { protocol, field } = payload
  if (protocol === 'ip' && field === 'saddr') return any((word) => fitsPrefix(packet.source, word))
  if (protocol === 'ip' && field === 'daddr') return any((word) => fitsPrefix(packet.destination, word))
  if (protocol === 'ip' && field === 'protocol') return any((word) => fitsProtocol(packet, word))
  if (protocol === 'th' || protocol === packet.protocol)
    return field === 'dport' ? any((word) => fitsPort(packet.port, word)) : 'maybe'
  return protocol === 'ip' || protocol === 'ether' ? 'maybe' : 'no'
}

const prefix = z.object({ prefix: z.object({ addr: z.string(), len: z.number() }) })
const range = z.object({
  range: z.tuple([z.union([z.string(), z.number()]), z.union([z.string(), z.number()])]),
})
const list = z.object({ set: z.array(z.unknown()) })

/** Undefined for what is not written out (`@set`) or not understood. */
function wordsOf(value: unknown): string[] | undefined {
  if (typeof value === 'number') return [String(value)]
  if (typeof value === 'string') return value.startsWith('@') ? undefined : [value]
  const many = Array.isArray(value) ? value : list.safeParse(value).data?.set
  if (many) {
    const all = many.map(wordsOf)
    return all.every((words) => words !== undefined) ? all.flat() : undefined
  }
  const one = prefix.safeParse(value).data?.prefix
  if (one) return [`${one.addr}/${one.len}`]
  const ends = range.safeParse(value).data?.range
  return ends ? [ends.join('-')] : undefined
}
