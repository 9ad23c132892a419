import * as pulumi from '@pulumi/pulumi'
import type { BackendType, SshAccess } from '../inventory/inventory.ts'
import type { Target } from '../remote/target.ts'

export interface SshHostArgs {
  readonly lab: pulumi.Input<string>
  /** Its name in the inventory. */
  readonly hostname: pulumi.Input<string>
  /** Its address in the underlay, `192.168.1.11`. */
  readonly address: pulumi.Input<string>
  readonly underlay: pulumi.Input<string>
  /** The pods' network. */
  readonly network: pulumi.Input<string>
  /** MTU that its NIC must have. */
  readonly mtu: pulumi.Input<number>
  readonly backend: pulumi.Input<BackendType>
  /** Links that the overlay will make. */
  readonly links: pulumi.Input<readonly string[]>
  /** The UDP port at which peers' packets arrive; none of host-gw. */
  readonly port?: pulumi.Input<number>
  /** The NIC that carries the underlay; the one that has the address unless told. */
  readonly givenNic?: pulumi.Input<string>
  /** Whose the overlay on it is. */
  readonly owner: pulumi.Input<string>
  /** It is to restore its data plane at boot. */
  readonly persist: pulumi.Input<boolean>
  /** How it is reached. */
  readonly access: pulumi.Input<SshAccess>
}

/**
 * A host that exists: looked at in one round trip, and left as it is. One that cannot be reached or is not fit does
 * not fail here, so that the others are finished; the data plane's error says what is wrong with it.
 */
export class SshHost extends pulumi.CustomResource {
  declare readonly hostname: pulumi.Output<string>
  declare readonly address: pulumi.Output<string>
  declare readonly owner: pulumi.Output<string>
  /** How it was reached; null until it was once. */
  declare readonly target: pulumi.Output<Omit<Target, 'name'> | null>
  /** The NIC that carries the underlay; empty where none was found. */
  declare readonly nic: pulumi.Output<string>
  /** What the NIC reaches without a router; null until it was looked at. */
  declare readonly onLink: pulumi.Output<readonly string[] | null>
  /** How the host answers overlab. */
  declare readonly way: pulumi.Output<{
    readonly from: string
    readonly dev: string
    readonly via?: string
  } | null>
  /** Its kernel has fou and ipip, for the udp backend. */
  declare readonly fou: pulumi.Output<boolean>
  /** systemd runs there, and can restore a data plane at boot. */
  declare readonly systemd: pulumi.Output<boolean>
  /** Debian packages that were missing; they are installed, and stay when the lab goes. */
  declare readonly packages: pulumi.Output<readonly string[]>
  declare readonly attempt: pulumi.Output<number>
  /** It was fit once: packages and acts of bootstrap are for it. */
  declare readonly admitted: pulumi.Output<boolean>
  /** Why nothing can be done on it now; empty = it is fit. */
  declare readonly problem: pulumi.Output<string>

  constructor(name: string, args: SshHostArgs, options?: pulumi.CustomResourceOptions) {
    const learnt = {
      ...{
        target: undefined,
        nic: undefined,
        onLink: undefined,
        way: undefined,
        fou: undefined,
        systemd: undefined,
      },
      ...{ packages: undefined, attempt: undefined, admitted: undefined, problem: undefined },
    }
    super('overlab:index:SshHost', name, { ...learnt, ...args }, options)
  }
}
