/** Which datapath a host of the udp backend gets, and why. The wire is the same, so a lab may mix them. Pure. */
import type { Datapath, Host } from '../inventory/inventory.ts'
import type { Name } from '../inventory/values.ts'

export interface Choice {
  readonly datapath: Exclude<Datapath, 'auto'>
  /** Half a sentence. */
  readonly why: string
}

/** Whether a host's kernel has fou and ipip, by the host's name; hosts that were not asked are missing. */
export type KernelsWithFou = Readonly<Record<Name, boolean>>

/**
 * A virtual machine or a host that exists gets fou, since a distribution's kernel has it, and ip and ss show all of it.
 * A namespace gets bpf: what it loaded would be loaded into this computer's kernel, and stay there.
 */
export function datapathOf(
  { name, datapath, machine }: Pick<Host, 'name' | 'datapath' | 'machine'>,
  kernels: KernelsWithFou = {},
): Choice {
  if (datapath) return { datapath, why: 'as the inventory says' }
  if (machine === 'namespace')
    return {
      datapath: 'bpf',
      why: "auto: it has this computer's kernel, into which fou would have to be loaded",
    }
  const has = kernels[name]
  if (has === undefined)
    return { datapath: 'fou', why: 'auto: assumed, as kernels of distributions have it; up asks this one' }
  return has
    ? { datapath: 'fou', why: 'auto: its kernel has fou and ipip' }
    : { datapath: 'bpf', why: 'auto: its kernel has no fou or no ipip' }
}

/** Whether the choice takes the kernel's answer. */
export function mustAsk({
  datapath,
  machine,
  control,
}: Pick<Host, 'datapath' | 'machine' | 'control'>): boolean {
  return datapath === undefined && machine !== 'namespace' && control === 'static'
}
