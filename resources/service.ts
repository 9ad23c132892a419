import * as pulumi from '@pulumi/pulumi'
import type { HostTargetArgs } from './host-target.ts'

export interface ServiceArgs {
  readonly target: HostTargetArgs
  /** What it is called on its host; its pid, log and settings are in /run/overlab-services/UNIT. */
  readonly unit: pulumi.Input<string>
  /** The program and its arguments. A program (no script), found by its path or in the host's PATH. */
  readonly argv: pulumi.Input<readonly pulumi.Input<string>[]>
  /** Beside PATH and HOME; nothing else is in its environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** Folders of its own: made before it starts, removed with it. */
  readonly folders?: readonly string[]
  /** Shell lines that succeed once it does its work; `$log` is the file with its output. */
  readonly ready?: string
  /** Shell lines that take away what it leaves; run when it ends for good, or starts with other settings. */
  readonly cleanup?: string
  /** It is started anew when one of these texts changes. */
  readonly triggers?: readonly string[]
}

/** One process on one host, started in the background and known by its id, start time and words. Nothing restarts it but `pulumi up`. */
export class Service extends pulumi.CustomResource {
  declare readonly unit: pulumi.Output<string>
  /** Its process id on the host. */
  declare readonly pid: pulumi.Output<number>

  constructor(name: string, args: ServiceArgs, options?: pulumi.CustomResourceOptions) {
    super(
      'overlab:index:Service',
      name,
      {
        environment: {},
        folders: [],
        ready: '',
        cleanup: '',
        triggers: [],
        ...args,
        pid: undefined,
      },
      options,
    )
  }
}
