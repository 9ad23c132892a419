/** What somebody else changed on the hosts, in words: Pulumi's own display of a refresh prints whole tables. */
import { diffTable, type Change } from '../../modules/module.ts'
import { tableNames, type HostState } from '../../modules/state.ts'

/** More lines than this say no more. */
const mostLines = 50

/**
 * One line an object that a host holds otherwise than is known: `node2: routes["10.244.1.0/24"] is gone: via ...`.
 * Hosts that could not be read are missing in `held`, and say nothing here. Pure.
 */
export function driftLines(
  known: Readonly<Record<string, HostState>>,
  held: Readonly<Record<string, HostState>>,
): string[] {
  const lines = Object.keys(known).flatMap((host) => {
    const found = held[host]
    if (!found) return []
    return tableNames.flatMap((table) =>
      diffTable(table, known[host]![table] ?? {}, found[table] ?? {}).map(
        (change) => `${host}: ${change.table}[${JSON.stringify(change.key)}] ${happened(change)}`,
      ),
    )
  })
  if (lines.length <= mostLines) return lines
  return [...lines.slice(0, mostLines), `... and ${lines.length - mostLines} more objects`]
}

function happened(change: Change): string {
  if (change.op === 'delete') return `is gone: ${change.from}`
  if (change.op === 'change') return `was changed: ${change.from} -> ${change.to}`
  return `was added: ${change.to}`
}
