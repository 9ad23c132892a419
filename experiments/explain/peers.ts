/** The table of peers of udp's kernel datapath. bpftool prints its addresses as numbers; `overlab show` as addresses. */
import { readHoldings } from '../holdings.ts'
import type { PlannedHost } from '../../overlay/plan.ts'
import type { Notes } from './notes.ts'
import type { Site } from './site.ts'
import { overlabCommand } from '../../tools/command-line.ts'

/** `10.244.2.0/24 192.168.79.2`, a line a peer. @throws HostError */
export async function showPeers(site: Site, notes: Notes, host: PlannedHost): Promise<string[]> {
  const held = await readHoldings(await site.session(host.name), 'peers', host, site.signal)
  const lines = held.map(({ entry }) => entry)
  notes.add({
    command: overlabCommand(`show peers ${host.name} --json | jq -r '.[].entries[].entry'`),
    output: lines.join('\n'),
  })
  return lines
}
