import * as pulumi from '@pulumi/pulumi'
import type { HostTargetArgs } from './host-target.ts'

export interface EtcdKeysArgs {
  /** A host with etcdctl that reaches the endpoint. */
  readonly target: HostTargetArgs
  /** `http://192.168.77.1:2379` */
  readonly endpoint: pulumi.Input<string>
  /** What all keys begin with, without the slash at its end. */
  readonly prefix: pulumi.Input<string>
  readonly keys: Readonly<Record<string, string>>
}

/** Keys of an etcd (v3 API) and their values. A key without a lease stays until it is deleted. */
export class EtcdKeys extends pulumi.CustomResource {
  declare readonly keys: pulumi.Output<Record<string, string>>

  constructor(name: string, args: EtcdKeysArgs, options?: pulumi.CustomResourceOptions) {
    super('overlab:index:EtcdKeys', name, { ...args }, options)
  }
}
