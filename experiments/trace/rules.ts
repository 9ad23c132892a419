/** iptables counters before and after: which rules a packet met. Reads `iptables-save -c`. */

export interface Rule {
  readonly table: string
  readonly chain: string
  /** As iptables-save prints it, without its counters; of a chain's policy `policy DROP`. */
  readonly rule: string
  readonly before: number
  readonly after: number
}

/** The rules and policies whose packet counters rose, tables and chains in the order in which a forwarded packet meets them. */
export function risen(before: string, after: string): Rule[] {
  const old = new Map<string, number>()
  for (const { key, packets } of counted(before)) old.set(key, packets)
  return counted(after)
    .flatMap(({ key, table, chain, rule, packets }) => {
      const was = old.get(key) ?? 0
      // Lower than before: someone loaded the table anew in between, and it counts from 0.
      return packets > was ? [{ table, chain, rule, before: was, after: packets }] : []
    })
    .sort((a, b) => rank(a) - rank(b))
}

interface Counted {
  readonly key: string
  readonly table: string
  readonly chain: string
  readonly rule: string
  readonly packets: number
}

function counted(saved: string): Counted[] {
  const found: Counted[] = []
  const seen = new Map<string, number>()
  let table = ''
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim()
    const policy = line.match(/^:(\S+) (\S+) \[(\d+):\d+\]$/)
    const rule = line.match(/^\[(\d+):\d+\] -A (\S+) ?(.*)$/)
    // A chain of one's own has no policy: `-`.
    if (policy && policy[2] !== '-') add(policy[1]!, `policy ${policy[2]}`, policy[3]!)
    if (rule) add(rule[2]!, rule[3]!, rule[1]!)
  }
  return found

  function add(chain: string, rule: string, packets: string): void {
    const words = `${table} ${chain} ${rule}`
    const nth = (seen.get(words) ?? 0) + 1
    seen.set(words, nth)
    found.push({ key: `${words} ${nth}`, table, chain, rule, packets: Number(packets) })
  }
}

const tables = ['raw', 'mangle', 'nat', 'filter', 'security']
const hooks = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']

/** By hook; a chain of one's own stands after the hook of its table that flannel jumps to it from. */
function rank({ table, chain }: Rule): number {
  const at = hooks.indexOf(chain)
  const hook = at >= 0 ? at : table === 'nat' ? hooks.indexOf('POSTROUTING') : hooks.indexOf('FORWARD')
  return hook * 100 + tables.indexOf(table) * 10 + (at >= 0 ? 0 : 1)
}

/** Whether the rule, or the policy, ends a packet. */
export function drops({ rule }: Rule): boolean {
  return /^policy DROP$|-j (DROP|REJECT)\b/.test(rule)
}
