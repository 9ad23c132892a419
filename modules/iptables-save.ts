/** flannel's part of what `iptables-save` prints, of both variants of iptables. */
import type { HostFacts } from './module.ts'

export type Variant = 'nft' | 'legacy'
const variants: readonly Variant[] = ['nft', 'legacy']

/** One variant's tables, as far as they concern flannel's chains. */
export interface Saved {
  /** `nat FLANNEL-POSTRTG` -> its rules. */
  readonly rules: ReadonlyMap<string, string[]>
  /** Rules of other chains that go to one of flannel's. */
  readonly jumps: readonly Jump[]
}

export interface Jump {
  readonly table: string
  readonly chain: string
  readonly rule: string
}

/** A host with thousands of rules sends only the few that matter. */
const matter = `grep -E '^([*]|:FLANNEL-|-A FLANNEL-|-A (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) .*-j FLANNEL-)' || :`

/**
 * Shell lines that print the chosen variant's part; then, after a line `other VARIANT`, that of the one that is not
 * chosen, since a host that was switched from one to the other has flannel's rules in both. Without `-t`: that would
 * make the table. A host without iptables has no rules; one whose iptables fails is not read as one without.
 */
export function saveProbe({ iptables }: HostFacts): string {
  const own = saveTool(iptables)
  return [
    `if command -v ${own} >/dev/null; then saved=$(${own}) || exit; printf '%s\\n' "$saved" | ${matter}; fi`,
    ...variants.filter((variant) => variant !== iptables).map((variant) => otherProbe(own, variant)),
  ].join('\n')
}

function otherProbe(own: string, variant: Variant): string {
  const tool = saveTool(variant)
  const conditions = [
    // The kernel lists the legacy tables that there are; mostly none, and then no process is needed to see it.
    ...(variant === 'legacy' ? ['{ read -r _ </proc/net/ip_tables_names; } 2>/dev/null'] : []),
    `command -v ${tool} >/dev/null`,
    `! [ "$(command -v ${own})" -ef "$(command -v ${tool})" ]`,
  ]
  return `if ${conditions.join(' && ')}; then echo 'other ${variant}'; ${tool} 2>/dev/null | ${matter}; fi`
}

function saveTool(iptables: HostFacts['iptables']): string {
  return iptables === 'auto' ? 'iptables-save' : `iptables-${iptables}-save`
}

/** Reads what `saveProbe` printed; counters (`-c`) and CRs are nobody's default and not expected. */
export function readSaves(output: string): { own: Saved; others: ReadonlyMap<Variant, Saved> } {
  const [own = '', ...rest] = output.split(/^other (nft|legacy)$/m)
  const others = variants.flatMap((variant): [Variant, Saved][] => {
    const at = rest.indexOf(variant)
    return at < 0 ? [] : [[variant, readSave(rest[at + 1] ?? '')]]
  })
  return { own: readSave(own), others: new Map(others) }
}

function readSave(output: string): Saved {
  const rules = new Map<string, string[]>()
  const jumps: Jump[] = []
  let table = ''
  for (const line of output.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim()
    else if (line.startsWith(':FLANNEL-')) rules.set(`${table} ${line.slice(1).split(' ')[0]}`, [])
    else if (line.startsWith('-A ')) {
      const [, chain = '', rule = ''] = line.match(/^-A (\S+) ?(.*)$/) ?? []
      const own = rules.get(`${table} ${chain}`)
      if (own) own.push(rule.trim())
      else if (/-j FLANNEL-/.test(rule)) jumps.push({ table, chain, rule: rule.trim() })
    }
  }
  return { rules, jumps }
}
