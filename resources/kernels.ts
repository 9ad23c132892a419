import * as pulumi from '@pulumi/pulumi'
import type { TargetArgs } from './data-plane.ts'

export interface KernelsArgs {
  readonly lab: pulumi.Input<string>
  /** Path of the SSH client key for all hosts. */
  readonly identityFile: pulumi.Input<string>
  readonly targets: pulumi.Input<Readonly<Record<string, pulumi.Input<TargetArgs>>>>
}

/** What the kernels of some hosts offer, asked anew at every refresh. It is needed before their data plane can be planned. */
export class Kernels extends pulumi.CustomResource {
  /** By the host's name: whether its kernel has fou and ipip, for the udp backend. */
  declare readonly fou: pulumi.Output<Record<string, boolean>>

  constructor(name: string, args: KernelsArgs, options?: pulumi.CustomResourceOptions) {
    super('overlab:index:Kernels', name, { ...args, fou: undefined }, options)
  }
}
