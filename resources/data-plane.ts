import * as pulumi from '@pulumi/pulumi'
import type { HostFacts } from '../modules/module.ts'
import type { HostState } from '../modules/state.ts'
import type { Target } from '../remote/target.ts'

/** How a host is reached. */
export interface TargetArgs {
  readonly host: pulumi.Input<string>
  readonly port: pulumi.Input<number>
  readonly user: pulumi.Input<string>
  /** The pinned host key, as in authorized_keys. */
  readonly hostKey: pulumi.Input<string>
  /** Path of the SSH client key, or `agent`. */
  readonly identityFile?: pulumi.Input<string>
  readonly become?: pulumi.Input<boolean>
  readonly jump?: pulumi.Input<Target>
}

export interface DataPlaneArgs {
  /** Path of the SSH client key for all hosts that name none. */
  readonly identityFile?: pulumi.Input<string>
  readonly targets: pulumi.Input<Readonly<Record<string, pulumi.Input<TargetArgs>>>>
  readonly facts: pulumi.Input<Readonly<Record<string, HostFacts>>>
  /** What each host's kernel shall hold, whoever puts it there (`facts.lent`): tables from a key to one canonical line, see modules/state.ts. */
  readonly hosts: pulumi.Input<Readonly<Record<string, pulumi.Input<HostState>>>>
  /** When each machine that overlab makes was started: another start has an empty kernel, which is filled in the same `up`. */
  readonly boots?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>
  /** Of the hosts whose packets the kernel wraps for the udp backend: by what, and why by that. Only shown. */
  readonly datapaths?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>
  /** Hosts that overlab did not make: they are cleaned when the data plane goes, and a change must be confirmed. */
  readonly care?: pulumi.Input<Readonly<Record<string, CareArgs>>>
  /** Hosts that nothing can be done on now, and why; the others are finished without them. */
  readonly unfit?: pulumi.Input<Readonly<Record<string, string>> | undefined>
}

export interface CareArgs {
  /** Whose the overlay on it is. */
  readonly owner: string
  /** Seconds after which it undoes a change that was not confirmed; 0 = never. */
  readonly confirm: number
  /** How it answers overlab; a state that would cut this is refused. */
  readonly way: { readonly from: string; readonly dev: string; readonly via?: string }
}

/**
 * What the kernels of all hosts of a lab hold: links, addresses, routes, neighbours, FDB entries, iptables
 * rules, sysctls and pods. One resource for the whole lab, since a change that loses no packet must be
 * finished on every host before the next step begins on any.
 */
export class DataPlane extends pulumi.CustomResource {
  declare readonly hosts: pulumi.Output<Record<string, HostState>>

  constructor(name: string, args: DataPlaneArgs, options?: pulumi.CustomResourceOptions) {
    super('overlab:index:DataPlane', name, { ...args }, options)
  }
}
