/**
 * Checksum offload of a NIC. A virtual NIC leaves the checksum of what it sends to hardware that is not there, and
 * says so beside the packet. Where the kernel wraps such a packet in another one and a process unwraps it at the far
 * end (a flanneld of the udp backend), that note is lost and the inner checksum is wrong: ping works, TCP moves
 * nothing. With `tx off` the checksum is finished before the packet leaves.
 */
import { ifName } from '../inventory/values.ts'
import { diffTable, prepareAndSweep, type Module, type Row } from './module.ts'
import { rowSchema } from './words.ts'

export function txOffload(nic: string, state: 'on' | 'off'): Row {
  return { key: nic, line: `tx ${state}` }
}

export const offloadModule: Module = {
  table: 'offloads',
  noun: 'offload setting',
  row: rowSchema(({ key, line }, complain) => {
    const name = ifName.safeParse(key)
    if (!name.success) complain('key', name.error.issues[0]!.message)
    const text = line.trim().replace(/ +/g, ' ')
    if (text !== 'tx on' && text !== 'tx off') complain('line', 'is neither "tx on" nor "tx off"')
    return text
  }),

  /** A NIC that is not there, or an ethtool, has no setting: giving it one says what is missing. */
  probe({ desired, prior }) {
    const nics = [...new Set([...Object.keys(desired), ...Object.keys(prior)])]
    if (nics.length === 0) return ':'
    return nics
      .map((nic) => `echo "nic ${nic}"; ethtool -k ${nic} 2>/dev/null | grep '^tx-checksumming:' || :`)
      .join('\n')
  },

  parse(output, { desired, prior }) {
    const table: Record<string, string> = {}
    let nic = ''
    for (const text of output.split('\n')) {
      if (text.startsWith('nic ')) nic = text.slice('nic '.length)
      const state = /^tx-checksumming: (on|off)/.exec(text)?.[1]
      if (state === undefined) continue
      const line = `tx ${state}`
      if (nic in desired || prior[nic] === line) table[nic] = line
    }
    return table
  },

  diff: (current, desired) => diffTable('offloads', current, desired),

  render: (changes) =>
    prepareAndSweep(changes, 'sh -e', (change) => {
      if (change.op !== 'delete') return [`ethtool -K ${change.key} ${change.to}`]
      // Back to what every NIC begins with.
      return change.from === 'tx off' ? [`ethtool -K ${change.key} tx on`] : []
    }),
}
