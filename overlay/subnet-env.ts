/** The file by which flanneld tells the CNI plugin about its host (/run/flannel/subnet.env). */
import type { Cidr } from '../inventory/values.ts'
import { gatewayOf, lengthOf } from './subnet.ts'

export function subnetEnv(network: Cidr, subnet: Cidr, mtu: number): string {
  return [
    `FLANNEL_NETWORK=${network}`,
    `FLANNEL_SUBNET=${gatewayOf(subnet)}/${lengthOf(subnet)}`,
    `FLANNEL_MTU=${mtu}`,
    'FLANNEL_IPMASQ=true',
    '',
  ].join('\n')
}
