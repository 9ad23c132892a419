/** The way back for flannel's chains and the jumps into them, from wherever a change was cut. Pure. */
import type { HostFacts } from './module.ts'
import type { Table } from './state.ts'

/**
 * Shell lines, a command a rule: what `iptables-restore` does at once or not at all would do nothing where a part has
 * been done. A chain that the change touches is made as it was, or removed; so are the jumps into it. Other rules stay.
 */
export function undoRules(desired: Table, held: Table, variant: HostFacts['iptables']): string[] {
  const touched = new Set(
    [...Object.keys(desired), ...Object.keys(held)]
      .filter((key) => desired[key] !== held[key])
      .flatMap((key) => chainOf(key, desired[key] ?? held[key]!)),
  )
  const tool = toolOf(variant)
  return [...touched].flatMap((name) => {
    const [table = '', chain = ''] = name.split(' ')
    const jumps = (state: Table) =>
      Object.entries(state)
        .filter(([key, line]) => isJump(key) && chainOf(key, line).includes(name))
        .map(([key, line]) => jumpOf(key, line))
    const rules = Object.entries(held)
      .filter(([key]) => key.startsWith(`${name} `))
      .map(([, line]) => line)
    const remove = [...new Set([...jumps(desired), ...jumps(held)])].map((jump) => removal(tool, table, jump))
    if (rules.length === 0)
      return [...remove, `${tool} -t ${table} -F ${chain}`, `${tool} -t ${table} -X ${chain}`]
    return [
      ...remove,
      `${tool} -t ${table} -N ${chain}`,
      `${tool} -t ${table} -F ${chain}`,
      ...rules.map((rule) => `${tool} -t ${table} -A ${chain} ${rule}`),
      ...jumps(held).map((jump) => `${tool} -t ${table} -A ${jump}`),
    ]
  })
}

/** Shell lines that take away the jumps of these rows, however often each is there. */
export function jumpRemovals(rows: Table, variant: HostFacts['iptables']): string[] {
  return Object.entries(rows).flatMap(([key, line]) =>
    isJump(key) && chainOf(key, line).length > 0
      ? [`${removal(toolOf(variant), key.split(' ')[0]!, jumpOf(key, line))} 2>/dev/null`]
      : [],
  )
}

function toolOf(variant: HostFacts['iptables']): string {
  return `${variant === 'auto' ? 'iptables' : `iptables-${variant}`} -w 10`
}

function removal(tool: string, table: string, jump: string): string {
  return `while ${tool} -t ${table} -D ${jump}; do :; done`
}

/** `nat FLANNEL-POSTRTG` of a rule's or a jump's row; none for what the variant not in use still has. */
function chainOf(key: string, line: string): string[] {
  const [table = '', chain = ''] = key.split(' ')
  if (table === 'nft' || table === 'legacy') return []
  return [`${table} ${chain.startsWith('FLANNEL-') ? chain : (/-j (\S+)/.exec(line)?.[1] ?? '')}`]
}

function isJump(key: string): boolean {
  return !key.split(' ')[1]?.startsWith('FLANNEL-')
}

/** `POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG` */
function jumpOf(key: string, line: string): string {
  const [, chain = '', ...comment] = key.split(' ')
  const words = comment.join(' ').replace(/ [+][0-9]+$/, '')
  return words.startsWith('FLANNEL-') || !/^-j FLANNEL-/.test(line)
    ? `${chain} ${line}`
    : `${chain} -m comment --comment "${words}" ${line}`
}
