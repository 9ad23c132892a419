import * as pulumi from '@pulumi/pulumi'
import type { HostFacts } from '../modules/module.ts'
import type { HostState } from '../modules/state.ts'

/** How a host is reached. */
export interface TargetArgs {
  readonly host: pulumi.Input<string>
  readonly port: pulumi.Input<number>
  readonly user: pulumi.Input<string>
  /** The pinned host key, as in authorized_keys. */
  readonly hostKey: pulumi.Input<string>
}

export interface DataPlaneArgs {
  /** Path of the SSH client key for all hosts. */
  readonly identityFile: pulumi.Input<string>
  readonly targets: Readonly<Record<string, TargetArgs>>
  readonly facts: Readonly<Record<string, HostFacts>>
  /** What each host's kernel shall hold, whoever puts it there (`facts.lent`): tables from a key to one canonical line, see modules/state.ts. */
  readonly hosts: Readonly<Record<string, pulumi.Input<HostState>>>
  /** Of the hosts whose packets the kernel wraps for the udp backend: by what, and why by that. Only shown. */
  readonly datapaths?: Readonly<Record<string, pulumi.Input<string>>>
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
