import type * as pulumi from '@pulumi/pulumi'
import type { TargetArgs } from './data-plane.ts'
import type { Lab } from './lab.ts'

/** How one host is reached, complete. */
export interface HostTargetArgs extends TargetArgs {
  /** The inventory's name of the host. */
  readonly name: pulumi.Input<string>
  /** Path of the SSH client key. */
  readonly identityFile: pulumi.Input<string>
}

export function targetOf(lab: Lab, host: string): TargetArgs {
  const machine = lab.machines[host]!
  return { host: machine.address, port: machine.port, user: machine.user, hostKey: machine.hostKey }
}

export function hostTargetOf(lab: Lab, host: string): HostTargetArgs {
  return { name: host, identityFile: lab.underlay.identityFile, ...targetOf(lab, host) }
}
