/** What flannel keeps in etcd: its configuration, and a key for every host's subnet. Pure. */
import { z } from 'zod'
import type { BackendType } from '../../inventory/inventory.ts'
import { cidr, ip, mac, type Cidr, type Ip, type Mac } from '../../inventory/values.ts'
import { etcdPrefix } from '../../overlay/net-conf.ts'

export type Lease = { readonly key: string } & (
  | {
      readonly subnet: Cidr
      /** The host's underlay address. */
      readonly address: Ip
      readonly backend: string
      readonly vtepMac?: Mac
    }
  | { readonly wrong: string }
)

// By flannel's pkg/lease: udp writes no BackendType.
const lease = z.object({
  PublicIP: ip,
  BackendType: z.string().optional(),
  BackendData: z.object({ VtepMAC: mac.optional() }).nullish(),
})

export function leasesOf(keys: Readonly<Record<string, string>>): Lease[] {
  return Object.entries(keys).flatMap(([key, value]) =>
    key.startsWith(`${etcdPrefix}/subnets/`) ? [{ key, ...contentOf(key, value) }] : [],
  )
}

type Content = { subnet: Cidr; address: Ip; backend: string; vtepMac?: Mac } | { wrong: string }

function contentOf(key: string, value: string): Content {
  const subnet = cidr.safeParse(key.slice(key.lastIndexOf('/') + 1).replace('-', '/'))
  if (!subnet.success) return { wrong: 'is no IPv4 subnet as flannel names it, such as 10.244.1.0-24' }
  let json: unknown
  try {
    json = JSON.parse(value)
  } catch {
    return { wrong: 'is no JSON' }
  }
  const read = lease.safeParse(json)
  if (!read.success) {
    const [issue] = read.error.issues
    return { wrong: `is no lease of flannel's: ${issue!.path.join('.')} ${issue!.message}` }
  }
  const { PublicIP, BackendType = 'udp' satisfies BackendType, BackendData } = read.data
  return {
    subnet: subnet.data,
    address: PublicIP,
    backend: BackendType,
    ...(BackendData?.VtepMAC && { vtepMac: BackendData.VtepMAC }),
  }
}
