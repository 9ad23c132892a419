/** Inventory values for tests, complete and in the defaults of a file that says nothing. */
import type { Backend, Host, Inventory, Lab, NetConf } from '../../inventory/inventory.ts'
import type { Cidr, Ip, Name } from '../../inventory/values.ts'

export const backends = {
  vxlan: { Type: 'vxlan', VNI: 1, Port: 8472, DirectRouting: false },
  'vxlan-directrouting': { Type: 'vxlan', VNI: 1, Port: 8472, DirectRouting: true },
  'host-gw': { Type: 'host-gw' },
  udp: { Type: 'udp', Port: 8285 },
} as const satisfies Record<string, Backend>

export interface Given {
  readonly backend?: Backend
  readonly lab?: Partial<Omit<Lab, 'overlay'>>
  readonly overlay?: Partial<NetConf>
  readonly hosts: readonly Host[]
}

/** The lab `lab` on 192.168.77.0/24 with the pod network 10.244.0.0/16. */
export function inventoryOf({ backend = backends.vxlan, lab = {}, overlay = {}, hosts }: Given): Inventory {
  return {
    file: 'inventory/test.yaml',
    lab: {
      name: 'lab' as Name,
      underlay: '192.168.77.0/24' as Cidr,
      mtu: 1500,
      ...lab,
      overlay: {
        Network: '10.244.0.0/16' as Cidr,
        SubnetLen: 24,
        SubnetMin: '10.244.1.0' as Ip,
        SubnetMax: '10.244.255.0' as Ip,
        Backend: backend,
        ...overlay,
      },
    },
    hosts,
    groups: { all: hosts.map(({ name }) => name) },
  }
}

/** Host `node<number>` at 192.168.77.<number> with 10.244.<number>.0/24 and two pods, .2 and .3; `over` goes over it. */
export function hostOf(number: number, over: Partial<Host> = {}): Host {
  const [high, low] = [Math.floor(number / 256), number % 256]
  const name = over.name ?? (`node${number}` as Name)
  const subnet = over.subnet ?? (`10.${244 + high}.${low}.0/24` as Cidr)
  return {
    name,
    groups: ['nodes'],
    machine: 'namespace',
    control: 'static',
    number,
    address: `192.168.${77 + high}.${low}` as Ip,
    subnet,
    iptables: 'auto',
    pods: [1, 2].map((pod) => ({
      name: `${name}-pod${pod}` as Name,
      address: subnet.replace(/\d+\/\d+$/, String(pod + 1)) as Ip,
    })),
    bootstrap: [],
    vars: {},
    ...over,
  }
}

/** node1 to node<count>. */
export function hostsOf(count: number): Host[] {
  return Array.from({ length: count }, (_, index) => hostOf(index + 1))
}
