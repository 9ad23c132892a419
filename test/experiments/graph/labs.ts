/** Labs to draw, and names that no language of pictures likes. */
import { graphOf, type LabGraph } from '../../../experiments/graph/model.ts'
import type { Ip, Name } from '../../../inventory/values.ts'
import { planLab } from '../../../overlay/plan.ts'
import { backends, hostOf, hostsOf, inventoryOf, type Given } from '../../support/inventory.ts'

export const graphOfLab = (given: Given): LabGraph => graphOf(planLab(inventoryOf(given)))

/** The default lab's hosts by each backend, and more of them. */
export const plain: Readonly<Record<string, LabGraph>> = Object.fromEntries(
  (['vxlan', 'host-gw', 'udp'] as const).flatMap((backend) =>
    [3, 10].map((count) => [
      `${backend}-${count}`,
      graphOfLab({ backend: backends[backend], hosts: hostsOf(count) }),
    ]),
  ),
)

/** No inventory lets such a name in; a picture does not rely on it. */
export const badName = `<b>&"x\\"];--> #end\n%% {y} |z|` as Name

export const bad = graphOfLab({
  lab: { name: badName },
  hosts: [
    hostOf(1, { name: badName, pods: [{ name: badName, address: '10.244.1.2' as Ip }] }),
    hostOf(2, { name: 'x\\' as Name }),
  ],
})

/** node3 lies behind a router: tunnels to it, a route back. Pods: none, more than are drawn, two. */
export const mixed = graphOfLab({
  backend: backends['vxlan-directrouting'],
  hosts: [
    hostOf(1, { pods: [] }),
    hostOf(2, {
      pods: Array.from({ length: 9 }, (_, index) => ({
        name: `web-${index}` as Name,
        address: `10.244.2.${index + 2}` as Ip,
      })),
    }),
    hostOf(3, { address: '198.51.100.3' as Ip }),
  ],
})
