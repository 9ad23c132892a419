/**
 * FDB entries of VXLAN devices: which host has this MAC? They carry no owner's mark and belong by their device. Only
 * entries that name a host (`dst`) count: a bridge's own and learned ones, and those of other links, never do.
 */
import { ifName, ip, mac, type IfName, type Ip, type Mac } from '../inventory/values.ts'
import { otherWords, readEntries, textOf, type Entry, textsOf } from './json.ts'
import { diffTable, prepareAndSweep, type Module, type Row } from './module.ts'
import { readWords, rowSchema, several, type Grammar } from './words.ts'

const probe = 'bridge -j fdb show'
const grammar: Grammar = { dst: ip }

export function fdbEntry(f: { mac: Mac; dev: IfName; dst: Ip }): Row {
  return { key: `${f.mac} dev ${f.dev}`, line: `dst ${f.dst}` }
}

export const fdbModule: Module = {
  table: 'fdb',
  noun: 'FDB entry',
  row: rowSchema(({ key, line }, complain) => {
    const [, address, dev] = key.match(/^(\S+) dev (\S+)$/) ?? []
    const known = mac.safeParse(address)
    if (!known.success || known.data !== address || !ifName.safeParse(dev).success)
      complain('key', 'is not of the form 0a:58:0a:f4:01:02 dev flannel.1, in lower case')
    const dst = readWords(line, grammar, (message) => complain('line', message)).get('dst')
    if (dst === undefined) complain('line', '"dst" is missing; say which host has the MAC')
    return `dst ${dst}`
  }),

  probe: () => probe,

  parse(output, { desired, prior, links }) {
    const table: Record<string, string> = {}
    for (const entry of readEntries(output, probe)) {
      if (entry['dst'] === undefined) continue
      const dev = textOf(entry, 'ifname')
      const key = `${textOf(entry, 'mac')} dev ${dev}`
      const line = lineOf(entry)
      // What the device learned by itself goes by itself.
      const ours = links.includes(dev) && lasting.has(textOf(entry, 'state'))
      if (ours || key in desired || prior[key] === line)
        table[key] = key in table ? `${table[key]}${several}${line}` : line
    }
    return table
  },

  diff: (current, desired) => diffTable('fdb', current, desired),

  render: (changes) =>
    prepareAndSweep(changes, 'bridge -batch -', (change) => {
      const found = change.op === 'add' ? [] : change.from.split(several)
      // `replace` takes the place of the first.
      const gone = change.op === 'change' ? found.slice(1) : found
      return [
        ...gone.map((line) => `fdb del ${change.key} ${placeOf(line)} self`),
        ...(change.op === 'delete' ? [] : [`fdb replace ${change.key} ${change.to} self permanent`]),
      ]
    }),
}

const lasting = new Set(['permanent', 'static'])

function lineOf(entry: Entry): string {
  const state = textOf(entry, 'state')
  const flags = textsOf(entry, 'flags').filter((word) => word !== 'self')
  return [
    `dst ${textOf(entry, 'dst')}`,
    ...otherWords(entry, known),
    ...flags,
    ...(state === 'permanent' ? [] : [state || 'learned']),
  ].join(' ')
}

/** Of a line, what tells two entries of one MAC apart. */
function placeOf(line: string): string {
  return [...line.matchAll(/\b(dst|port|vni|via|src_vni) \S+/g)].map(([words]) => words).join(' ')
}

const known = new Set(['mac', 'ifname', 'dst', 'flags', 'state', 'used', 'updated'])
