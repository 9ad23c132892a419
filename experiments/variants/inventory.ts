/** The inventory of a lab of its own for one variant, from the user's. Pure. */
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { toBlock, toCidr, toIp } from '../../inventory/ipv4.ts'
import { completeBackend } from '../../inventory/lab.ts'
import type { Cidr, Name } from '../../inventory/values.ts'
import { HostError } from '../../remote/errors.ts'
import { backends, type Variant } from './variant.ts'

export interface ScratchForm {
  readonly name: Name
  /** A /24. */
  readonly underlay: Cidr
  readonly variant: Pick<Variant, 'name' | 'backend' | 'control'>
  /** The hosts that the lab has; all unless told. */
  readonly hosts?: readonly string[]
}

/** Of a /24, less the network's, the broadcast's and the controller's address. */
const mostHosts = 253

/**
 * Names, numbers, pods and subnets stay the user's; name, underlay, backend and control are the variant's, for every
 * host. A host's place in the underlay comes from its place in the whole inventory: one that joins later moves no other.
 *
 * @throws HostError for hosts that no such lab can have
 */
export function scratchInventory(
  from: Inventory,
  { name, underlay, variant, hosts }: ScratchForm,
): Inventory {
  for (const host of from.hosts) checkHost(host, variant)
  if (from.hosts.length > mostHosts)
    throw new HostError({
      host: `lab ${from.lab.name}`,
      step: 'variant',
      why: `a lab of its own for a variant has ${mostHosts} hosts at most, and the inventory has ${from.hosts.length}`,
      hint: 'choose a stack with a smaller inventory',
    })
  const { first } = toBlock(underlay)
  const { Backend } = from.lab.overlay
  const all = from.hosts.map((host, index): Host => ({
    ...host,
    control: variant.control,
    address: toIp(first + index + 1),
  }))
  const chosen = hosts
    ? all.filter((host) => hosts.includes(host.name)).map((host) => among(hosts, host))
    : all
  return {
    file: from.file,
    lab: {
      ...from.lab,
      name,
      underlay: toCidr(toBlock(underlay)),
      overlay: {
        ...from.lab.overlay,
        // The user's own settings where it is the user's own backend; flannel's defaults else.
        Backend: Backend.Type === variant.backend ? Backend : completeBackend({ Type: variant.backend }),
      },
    },
    hosts: chosen,
    groups: { all: chosen.map((host) => host.name) },
    children: {},
  }
}

/** A host's impairments name its peers: those that are left out have no link. */
function among(hosts: readonly string[], { impairments, ...host }: Host): Host {
  if (!impairments) return host
  const toward = Object.entries(impairments.toward).filter(([name]) => hosts.includes(name))
  return { ...host, impairments: { all: impairments.all, toward: Object.fromEntries(toward) } }
}

function checkHost({ name, machine, iptables }: Host, variant: ScratchForm['variant']): void {
  const step = `variant ${variant.name}`
  if (machine === 'ssh')
    throw new HostError({
      host: name,
      step,
      why: 'a variant gets a lab of its own, of machines that are made for it, and this host exists (machine: ssh)',
      hint: 'choose a stack of namespaces or of VMs',
    })
  if (variant.control === 'flanneld' && machine !== 'namespace')
    throw new HostError({
      host: name,
      step,
      why: `flanneld runs on machines of the kind namespace, and this one is ${machine}`,
      hint: `choose variants without flanneld: ${backends.join(', ')}`,
    })
  if (variant.control === 'flanneld' && iptables !== 'auto')
    throw new HostError({
      host: name,
      step,
      why: `the inventory says iptables: ${iptables}, and flanneld takes the iptables that the machine uses by default`,
      hint: 'choose variants without flanneld, or remove it from the inventory',
    })
}
