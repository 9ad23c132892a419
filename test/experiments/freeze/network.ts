/** Three hosts' readings and leases, as flanneld v0.28.10 left them (test/overlay/flannel-dumps). */
import type { Backend } from '../../../inventory/inventory.ts'
import type { Name } from '../../../inventory/values.ts'
import { leasesOf, type Lease } from '../../../experiments/freeze/leases.ts'
import { parseReading, type HostReading } from '../../../experiments/freeze/reading.ts'
import { planLab, type LabPlan } from '../../../overlay/plan.ts'
import { inventoryOfDump, textOfDump } from '../../overlay/dump.ts'
import { hostOf, inventoryOf } from '../../support/inventory.ts'

type Row = Readonly<Record<string, unknown>>

export interface Network {
  /** Of an inventory that knows the hosts by their addresses, and nothing of what flanneld chose. */
  readonly plan: LabPlan
  readonly readings: readonly HostReading[]
  readonly leases: readonly Lease[]
  /** What the leases say, by host. */
  readonly chosen: Readonly<Record<string, { readonly subnet: string; readonly vtepMac?: string }>>
}

export function networkOfDump(name: string, backend: Backend): Network {
  const { hosts } = inventoryOfDump(name, backend)
  const json = (host: string, file: string, keep: (row: Row) => boolean = () => true): string =>
    JSON.stringify((JSON.parse(textOfDump(name, host, file)) as Row[]).filter(keep))
  const lines = textOfDump(name, '.', 'etcd.txt').trim().split('\n')
  const keys = Object.fromEntries(lines.flatMap((line, at) => (at % 2 === 0 ? [[line, lines[at + 1]!]] : [])))
  return {
    plan: planLab(
      inventoryOf({
        backend,
        hosts: hosts.map(({ number, name: host, address }) =>
          hostOf(number, { name: host, address, control: 'flanneld' }),
        ),
      }),
    ),
    readings: hosts.map(({ name: host }) =>
      parseReading(host, {
        links: json(host, 'addr.json'),
        routes: json(host, 'route.json', ({ table }) => table === 'main'),
        neighbours: json(host, 'neigh.json', ({ state }) => (state as string[]).includes('PERMANENT')),
        fdb: json(host, 'fdb.json'),
        subnetEnv: textOfDump(name, host, 'subnet.env'),
        daemons: '812 flanneld-0.28.1\n812\n',
      }),
    ),
    leases: leasesOf(keys),
    chosen: Object.fromEntries(
      hosts.map(({ name: host, subnet, vtepMac }) => [host, { subnet, ...(vtepMac && { vtepMac }) }]),
    ),
  }
}

/** The network with one host's reading changed. */
export function withReading(
  network: Network,
  host: string,
  change: (reading: HostReading) => Partial<HostReading>,
): Network {
  return {
    ...network,
    readings: network.readings.map((reading) =>
      reading.host === (host as Name) ? { ...reading, ...change(reading) } : reading,
    ),
  }
}
