/** What flanneld reads and writes in etcd, by flannel's own names (its pkg/subnet/etcd). */
import type { Lab } from '../inventory/inventory.ts'
import type { Cidr } from '../inventory/values.ts'
import type { Node } from './backend.ts'

/** Under this all of flannel's keys lie (flanneld's `--etcd-prefix`). */
export const etcdPrefix = '/coreos.com/network'

/** Where net-conf.json is. */
export const configKey = `${etcdPrefix}/config`

/** Every key and its value: the network's configuration, and one for each host's subnet. */
export function etcdKeys(lab: Lab, nodes: readonly Node[]): Record<string, string> {
  return {
    [configKey]: netConf(lab),
    ...Object.fromEntries(nodes.map((node) => [subnetKey(node.subnet), leaseValue(lab, node)])),
  }
}

/** net-conf.json: the inventory's `overlay`, every default filled in. */
export function netConf({ overlay }: Lab): string {
  return JSON.stringify(overlay)
}

/** `/coreos.com/network/subnets/10.244.1.0-24` */
export function subnetKey(subnet: Cidr): string {
  return `${etcdPrefix}/subnets/${subnet.replace('/', '-')}`
}

/**
 * What a flanneld at this address would write, letter by letter, so that nothing changes when it does. Without a
 * lease in etcd the key is a reservation: it does not end, and it is how a host without flanneld is known to the others.
 */
export function leaseValue({ overlay: { Backend } }: Lab, { address, vtepMac }: Node): string {
  const place = { PublicIP: address, PublicIPv6: null }
  switch (Backend.Type) {
    case 'vxlan':
      return JSON.stringify({
        ...place,
        BackendType: 'vxlan',
        BackendData: { VNI: Backend.VNI, VtepMAC: vtepMac },
      })
    case 'host-gw':
      return JSON.stringify({ ...place, BackendType: 'host-gw' })
    case 'udp':
      return JSON.stringify(place)
  }
}
