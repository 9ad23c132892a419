import * as pulumi from '@pulumi/pulumi'

export interface UnderlayArgs {
  /** Name of the lab; machines and files on the controller are found by it. */
  readonly lab: pulumi.Input<string>
  /** The network that joins the machines, `192.168.77.0/24`. */
  readonly cidr: pulumi.Input<string>
  /** MTU of the underlay's links, in bytes. */
  readonly mtu: pulumi.Input<number>
  /** Who may change the lab: another owner's attempt is refused. */
  readonly owner: pulumi.Input<string>
}

/** The network that joins a lab's machines and the controller to them; also the lab's SSH client key. */
export class Underlay extends pulumi.CustomResource {
  declare readonly lab: pulumi.Output<string>
  /** The controller's address in the underlay. */
  declare readonly controller: pulumi.Output<string>
  /** Path of the private key that the lab's machines accept. The key itself never enters Pulumi's state. */
  declare readonly identityFile: pulumi.Output<string>

  constructor(name: string, args: UnderlayArgs, options?: pulumi.CustomResourceOptions) {
    super(
      'overlab:index:Underlay',
      name,
      { ...args, controller: undefined, identityFile: undefined },
      options,
    )
  }
}
