/**
 * The peers of the udp backend's kernel datapath: inner subnet -> the underlay address of the host whose pods they
 * are. They stand in one map that both programs use (bpf/udp.bpf.c); the filter module makes it.
 */
import { cidr, ip, type Cidr, type Ip } from '../inventory/values.ts'
import { peerDelete, peerUpdate, readPeers } from './bpf/maps.ts'
import { peersPath } from './bpf/names.ts'
import { diffTable, type BatchLine, type Module, type Row } from './module.ts'
import { rowSchema } from './words.ts'

const probe = `if [ -e ${peersPath} ]; then bpftool -j map dump pinned ${peersPath}; fi`

// A filter that was removed has taken the map along; then there is nothing left to delete.
const forget = `if [ -e ${peersPath} ]; then bpftool batch file - >/dev/null; fi`

export function peerRow(peer: { subnet: Cidr; address: Ip }): Row {
  return { key: peer.subnet, line: peer.address }
}

export const peerModule: Module = {
  table: 'peers',
  noun: 'peer',
  row: rowSchema(({ key, line }, complain) => {
    const subnet = cidr.safeParse(key)
    if (!subnet.success) complain('key', subnet.error.issues[0]!.message)
    const address = ip.safeParse(line)
    if (!address.success) complain('line', address.error.issues[0]!.message)
    return line
  }),

  probe: () => probe,

  /** The map is overlab's own, so every entry is. */
  parse: (output) => Object.fromEntries(readPeers(output)),

  diff: (current, desired) => diffTable('peers', current, desired),

  render(changes) {
    const prepare: BatchLine[] = []
    const move: BatchLine[] = []
    const sweep: BatchLine[] = []
    for (const change of changes) {
      if (change.op === 'delete') sweep.push({ text: peerDelete(change.key), change })
      // The entry decides where packets go: a new subnet is nobody's yet, another address moves it.
      else (change.op === 'add' ? prepare : move).push({ text: peerUpdate(change.key, change.to), change })
    }
    return [
      { phase: 'prepare' as const, command: 'bpftool batch file - >/dev/null', lines: prepare },
      { phase: 'switch' as const, command: 'bpftool batch file - >/dev/null', lines: move },
      { phase: 'sweep' as const, command: forget, lines: sweep },
    ].filter(({ lines }) => lines.length > 0)
  },
}
