/**
 * FOU (foo over UDP): UDP ports behind which the kernel finds a bare inner packet. The device that sends such packets
 * is a link (link.ts, `ipip`); this is the way in. A port carries no mark, so it belongs by its number.
 *
 * `ip fou` loads no kernel module by itself, as `ip link` does. A kernel that has none answers nothing at all.
 */
import { readEntries, textOf } from './json.ts'
import { diffTable, prepareAndSweep, type Batch, type Module, type Row } from './module.ts'
import { readWords, rowSchema, wholeNumber, writeWords, type Grammar } from './words.ts'
import { z } from 'zod'

// IPv4 in IPv4 (RFC 2003); the kernel's own protocol number for it.
const grammar: Grammar = { ipproto: z.enum(['4'], 'is not 4, IPv4 packets') }
const port = wholeNumber(1, 65535)

/** What arrives at this UDP port is an IPv4 packet. */
export function fouPort(number: number): Row {
  return { key: String(number), line: 'ipproto 4' }
}

export const fouModule: Module = {
  table: 'fou',
  noun: 'FOU port',
  row: rowSchema(({ key, line }, complain) => {
    const checked = port.safeParse(key)
    if (!checked.success) complain('key', checked.error.issues[0]!.message)
    const words = readWords(line, grammar, (message) => complain('line', message))
    if (!words.has('ipproto')) complain('line', '"ipproto" is missing')
    return writeWords(words, ['ipproto'])
  }),

  probe: ({ desired, prior }) =>
    Object.keys({ ...desired, ...prior }).length === 0 ? ':' : 'ip -j fou show 2>/dev/null || :',

  parse(output, { desired, prior }) {
    const table: Record<string, string> = {}
    for (const entry of readEntries(output, 'ip -j fou show')) {
      const key = textOf(entry, 'port')
      const kind = 'gue' in entry ? 'gue' : `ipproto ${textOf(entry, 'ipproto')}`
      const places = ['local', 'peer', 'peer_port', 'dev'].flatMap((field) =>
        entry[field] === undefined ? [] : [`${field} ${textOf(entry, field)}`],
      )
      const family = textOf(entry, 'family') === 'inet' ? [] : [textOf(entry, 'family')]
      const line = [kind, ...places, ...family].join(' ')
      if (key in desired || prior[key] === line) table[key] = line
    }
    return table
  },

  diff: (current, desired) => diffTable('fou', current, desired),

  render(changes) {
    const first = changes.find(({ op }) => op !== 'delete')
    const load: Batch[] = first
      ? [{ phase: 'prepare', command: 'sh -e', lines: [{ text: needsFou, change: first }] }]
      : []
    const ports = prepareAndSweep(changes, 'ip -batch -', (change) => [
      ...(change.op === 'add' ? [] : [deletion(change.key, change.from)]),
      ...(change.op === 'delete' ? [] : [`fou add port ${change.key} ${change.to}`]),
    ])
    return [...load, ...ports]
  },
}

/** Succeeds where the kernel has both parts of FOU's datapath; modules are loaded for that. */
export const hasFou =
  '{ modprobe -q -a fou ipip 2>/dev/null || :; } && ip fou show >/dev/null 2>&1 && unshare --net ip link add type ipip local 192.0.2.1 remote any encap fou encap-sport 5555 encap-dport 5555 2>/dev/null'

/** The same as far as can be told without loading a module: for a backend that needs none. */
export const mayHaveFou = '{ ip fou show || modprobe -n -a fou ipip; } >/dev/null 2>&1'

const needsFou = `{ ${hasFou}; } || { echo 'the kernel has no fou or no ipip (CONFIG_NET_FOU, CONFIG_NET_FOU_IP_TUNNELS, CONFIG_NET_IPIP); use datapath: bpf for this host' >&2; exit 1; }`

/** A port that is bound to an address, a peer or a device is deleted by all of them. */
function deletion(port: string, line: string): string {
  return `fou del port ${port}${line.replace(/^(gue|ipproto \S+)/, '').replace(/ inet6$/, ' -6')}`
}
