import * as pulumi from '@pulumi/pulumi'
import type { MachineKind, QemuSettings } from '../inventory/inventory.ts'

export interface MachineArgs {
  readonly lab: pulumi.Input<string>
  /** Where it comes from; `namespace` unless told. */
  readonly machine?: pulumi.Input<MachineKind>
  /** The machine's hostname. */
  readonly hostname: pulumi.Input<string>
  /** Its address in the underlay, `192.168.77.1`. */
  readonly address: pulumi.Input<string>
  /** The underlay, `192.168.77.0/24`. */
  readonly underlay: pulumi.Input<string>
  /** MTU of eth0, in bytes. */
  readonly mtu: pulumi.Input<number>
  /** MAC of eth0. */
  readonly mac: pulumi.Input<string>
  /** Where it does not boot, the resource is there all the same, and `problem` says why; false unless told. */
  readonly mayFail?: pulumi.Input<boolean>
  /** Of the kind qemu. */
  readonly qemu?: pulumi.Input<QemuSettings>
}

/** A machine of a lab, with an sshd. */
export class Machine extends pulumi.CustomResource {
  declare readonly hostname: pulumi.Output<string>
  declare readonly address: pulumi.Output<string>
  declare readonly port: pulumi.Output<number>
  declare readonly user: pulumi.Output<string>
  /** The host key that sshd was given, as in authorized_keys; everything that connects pins it. */
  declare readonly hostKey: pulumi.Output<string>
  /** When overlab started it last; another value is another start, with an empty kernel. */
  declare readonly boot: pulumi.Output<string>
  /** Why it does not boot; empty = it runs. */
  declare readonly problem: pulumi.Output<string>

  constructor(name: string, args: MachineArgs, options?: pulumi.CustomResourceOptions) {
    const learnt = {
      port: undefined,
      user: undefined,
      hostKey: undefined,
      boot: undefined,
      problem: undefined,
    }
    super('overlab:index:Machine', name, { ...learnt, ...args }, options)
  }
}
