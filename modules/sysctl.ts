/**
 * Kernel settings below /proc/sys/net, the only part that a network namespace has for itself; the others would
 * reach the machine that a namespace lab runs on, and are refused.
 *
 * A setting that is no longer wanted stays as it is: what it was before is not known, and what else relies on it
 * by now (`ip_forward` on a router) neither.
 */
import type { BatchLine, Module, Row } from './module.ts'
import { diffTable } from './module.ts'
import { rowSchema } from './words.ts'

const root = '/proc/sys/'

/** `net/ipv4/ip_forward`; a link's dots are kept (`net/ipv6/conf/flannel.1/accept_ra`). */
export function sysctl(path: string, value: string | number): Row {
  return { key: path, line: String(value) }
}

export const sysctlModule: Module = {
  table: 'sysctls',
  noun: 'sysctl',
  row: rowSchema(({ key, line }, complain) => {
    const segments = key.split('/')
    if (
      segments.length < 3 ||
      segments.some((segment) => !/^[A-Za-z0-9_.-]+$/.test(segment) || /^\.+$/.test(segment))
    )
      complain('key', 'is not a path below /proc/sys, such as net/ipv4/ip_forward')
    else if (segments[0] !== 'net')
      complain('key', 'lies outside of net/, the only part that belongs to one machine')
    const value = line.trim().replace(/ +/g, ' ')
    if (!/^-?[A-Za-z0-9_.:]+( -?[A-Za-z0-9_.:]+)*$/.test(value)) complain('line', 'is not a value such as 1')
    return value
  }),

  /**
   * One process for all: the shell's own `read` gets no further than the first byte of such a file. A kernel without
   * IPv6 says so, and needs no IPv6 settings.
   */
  probe({ desired }) {
    const files = Object.keys(desired).map((key) => root + key)
    if (files.length === 0) return ':'
    return `[ -d ${root}net/ipv6 ] || echo no-ipv6\ngrep -Hs '' ${files.join(' ')} || :`
  },

  parse(output, { desired }) {
    const table: Record<string, string> = {}
    const lines = output.split('\n')
    const noIpv6 = lines.includes('no-ipv6')
    for (const [key, to] of Object.entries(desired)) {
      const start = `${root}${key}:`
      const line = lines.find((text) => text.startsWith(start))
      if (line !== undefined) table[key] = line.slice(start.length).trim().replace(/\s+/g, ' ')
      else if (noIpv6 && key.startsWith('net/ipv6/')) table[key] = to
    }
    return table
  },

  diff: (current, desired) =>
    diffTable('sysctls', current, desired).filter((change) => change.op !== 'delete'),

  render(changes) {
    const lines: BatchLine[] = changes.flatMap((change) =>
      change.op === 'delete' ? [] : [{ text: `echo '${change.to}' >${root}${change.key}`, change }],
    )
    return [{ phase: 'prepare', command: 'sh -e', lines }]
  },
}
