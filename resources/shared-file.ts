import * as pulumi from '@pulumi/pulumi'

export interface SharedFileArgs {
  readonly lab: pulumi.Input<string>
  /** Its name on the machines; says its version, since a file of the same name is taken to be the same. */
  readonly file: pulumi.Input<string>
  /** Path on the controller. */
  readonly source: pulumi.Input<string>
}

/** One file of the controller in sight of all machines of a namespace lab, read-only and executable. */
export class SharedFile extends pulumi.CustomResource {
  /** Its path on the machines. */
  declare readonly path: pulumi.Output<string>

  constructor(name: string, args: SharedFileArgs, options?: pulumi.CustomResourceOptions) {
    super('overlab:index:SharedFile', name, { ...args, path: undefined }, options)
  }
}
