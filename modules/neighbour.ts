/**
 * Permanent IPv4 neighbours: what ARP would have asked for. overlab's carry its protocol number. An entry for a
 * wanted address that is not permanent is a difference, and its state is said: it would time out.
 */
import { ifName, ip, mac, type IfName, type Ip, type Mac } from '../inventory/values.ts'
import { otherWords, readEntries, textOf, type Entry, textsOf } from './json.ts'
import { diffTable, prepareAndSweep, type Module, type Row } from './module.ts'
import { protocol, unclaimed } from './owner.ts'
import { readWords, rowSchema, type Grammar } from './words.ts'

// Without `nud all` an entry that needs no ARP (NOARP) is left out.
const probe = 'ip -4 -j neigh show nud all'
const grammar: Grammar = { lladdr: mac }

export function neighbour(n: { ip: Ip; dev: IfName; mac: Mac }): Row {
  return { key: `${n.ip} dev ${n.dev}`, line: `lladdr ${n.mac}` }
}

export const neighbourModule: Module = {
  table: 'neighbours',
  noun: 'neighbour',
  row: rowSchema(({ key, line }, complain) => {
    const [, address, dev] = key.match(/^(\S+) dev (\S+)$/) ?? []
    if (!ip.safeParse(address).success || !ifName.safeParse(dev).success)
      complain('key', 'is not of the form 10.244.2.0 dev flannel.1')
    const lladdr = readWords(line, grammar, (message) => complain('line', message)).get('lladdr')
    if (lladdr === undefined) complain('line', '"lladdr" is missing')
    return `lladdr ${lladdr}`
  }),

  probe: () => probe,

  parse(output, { desired, prior, host }) {
    const table: Record<string, string> = {}
    for (const entry of readEntries(output, probe)) {
      const key = `${textOf(entry, 'dst')} dev ${textOf(entry, 'dev')}`
      // A deleted entry that is still in use stays for a while, FAILED and with its number; it is nobody's.
      const ours = textOf(entry, 'protocol') === String(protocol) && statesOf(entry).includes('PERMANENT')
      const line = lineOf(entry) + (host.claim && !ours ? ` ${unclaimed}` : '')
      if (ours || key in desired || prior[key] === line) table[key] = line
    }
    return table
  },

  diff: (current, desired) => diffTable('neighbours', current, desired),

  render: (changes) =>
    prepareAndSweep(changes, 'ip -batch -', (change) => {
      if (change.op === 'delete') return [`neigh del ${change.key}`]
      const [address, , dev] = change.key.split(' ')
      const lladdr = change.to.replace(` ${unclaimed}`, '')
      // The kernel forgets no protocol number, it only takes another one.
      const owner = lladdr === change.to ? protocol : 'boot'
      return [`neigh replace ${address} ${lladdr} nud permanent protocol ${owner} dev ${dev}`]
    }),
}

function lineOf(entry: Entry): string {
  const lladdr = entry['lladdr'] === undefined ? [] : [`lladdr ${textOf(entry, 'lladdr')}`]
  const states = statesOf(entry).filter((state) => state !== 'PERMANENT')
  return [...lladdr, ...states.map((state) => state.toLowerCase()), ...otherWords(entry, known)].join(' ')
}

function statesOf(entry: Entry): readonly string[] {
  return textsOf(entry, 'state')
}

const known = new Set([
  'dst',
  'dev',
  'lladdr',
  'state',
  'protocol',
  'used',
  'confirmed',
  'updated',
  'probes',
  'refcnt',
])
