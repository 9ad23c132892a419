/** What two hosts of a lab printed for a real trace of node1-pod1 to node2-pod1, by backend. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { portsOf, sentOf, type Observed } from '../../../experiments/trace/collect.ts'
import { endOf, type End } from '../../../experiments/trace/endpoint.ts'
import { lookupsOf } from '../../../experiments/trace/lookups.ts'
import { parseView } from '../../../experiments/trace/view.ts'
import type { Control } from '../../../inventory/inventory.ts'
import type { Cidr, Ip } from '../../../inventory/values.ts'
import { planLab, pushedOf, type LabPlan } from '../../../overlay/plan.ts'
import { backends, hostOf, inventoryOf } from '../../support/inventory.ts'

export const recorded = ['vxlan', 'host-gw', 'udp'] as const
export type Recorded = (typeof recorded)[number]

const nets = { vxlan: '10.217.1', 'host-gw': '10.217.2', udp: '10.217.3' } as const
const patterns = {
  vxlan: '37d5d7446f767459',
  'host-gw': '1c2dd081bf1bc0e5',
  udp: '302f7319daf7ea49',
} as const

export interface Recording {
  readonly plan: LabPlan
  readonly from: End
  readonly to: End
  readonly observed: Observed
}

/** @param controls of hosts that are not static; what flanneld leaves in a kernel is the same but for overlab's mark */
export function recordingOf(backend: Recorded, controls: Readonly<Record<string, Control>> = {}): Recording {
  const net = nets[backend]
  const hosts = [1, 2].map((number) => {
    const host = hostOf(number, { address: `${net}.${number}` as Ip })
    return { ...host, control: controls[host.name] ?? host.control, pods: host.pods.slice(0, 3 - number) }
  })
  const plan = planLab(
    inventoryOf({ backend: backends[backend], lab: { underlay: `${net}.0/24` as Cidr }, hosts }),
  )
  const [from, to] = [endOf(plan, 'node1-pod1')!, endOf(plan, 'node2-pod1')!]
  const text = (name: string) => readFileSync(join(import.meta.dirname, backend, `${name}.txt`), 'utf8')
  const pattern = patterns[backend]
  const views = Object.fromEntries(
    Object.values(plan.hosts).map((host) => {
      const script = {
        id: '0123456789ab',
        nic: host.nic,
        ports: portsOf(plan),
        iptables: host.iptables,
        pods: [from, to].filter((end) => end.host === host.name).map(({ name }) => name),
        lookups: lookupsOf(plan, host, from, to),
      }
      return [
        host.name,
        parseView(
          script,
          text(`${host.name}.begun`),
          text(`${host.name}.read`),
          pattern,
          pushedOf(host),
          [],
          host.lent,
        ),
      ]
    }),
  )
  return { plan, from, to, observed: { views, failures: {}, sent: sentOf(text('ping'), pattern) } }
}
