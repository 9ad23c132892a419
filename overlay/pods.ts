/** What every backend needs below it: a host that forwards, the pods' bridge, and the pods. */
import type { Host } from '../inventory/inventory.ts'
import type { Cidr, IfName, Ip, Mac, Name } from '../inventory/values.ts'
import { address } from '../modules/address.ts'
import { bridgeLink } from '../modules/link.ts'
import { tableOf } from '../modules/module.ts'
import { podRow } from '../modules/pod.ts'
import type { HostState } from '../modules/state.ts'
import { sysctl } from '../modules/sysctl.ts'
import { addressMac } from './mac.ts'
import { gatewayOf, lengthOf } from './subnet.ts'

/** The bridge's name is the CNI flannel plugin's. */
export const bridge = 'cni0' as IfName

export interface PlannedPod {
  readonly name: Name
  readonly address: Ip
  readonly mac: Mac
}

export function podsOf(host: Host): PlannedPod[] {
  return host.pods.map(({ name, address }) => ({ name, address, mac: addressMac(address) }))
}

export function podRows(subnet: Cidr, pods: readonly PlannedPod[], mtu: number): HostState {
  const gateway = gatewayOf(subnet)
  return {
    sysctls: tableOf([sysctl('net/ipv4/ip_forward', 1)]),
    links: tableOf([bridgeLink({ name: bridge, mtu, mac: addressMac(gateway) })]),
    addresses: tableOf([address({ ip: gateway, length: lengthOf(subnet), dev: bridge })]),
    pods: tableOf(pods.map((pod) => podRow({ ...pod, subnet, gateway, bridge, mtu }))),
  }
}
