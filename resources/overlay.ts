import * as pulumi from '@pulumi/pulumi'
import { factsOf, planLab } from '../overlay/plan.ts'
import { DataPlane } from './data-plane.ts'
import { targetOf } from './host-target.ts'
import type { Lab } from './lab.ts'

export interface OverlayArgs {
  readonly lab: Lab
}

/** The overlay of a lab: what flannel's backend would leave in every host's kernel, without flanneld. */
export class Overlay extends pulumi.ComponentResource {
  readonly dataPlane: DataPlane

  constructor(name: string, args: OverlayArgs, options?: pulumi.ComponentResourceOptions) {
    super('overlab:index:Overlay', name, {}, options)
    const { lab } = args
    const planned = Object.values(planLab(lab.inventory).hosts)
    this.dataPlane = new DataPlane(
      name,
      {
        identityFile: lab.underlay.identityFile,
        targets: Object.fromEntries(planned.map((host) => [host.name, targetOf(lab, host.name)])),
        facts: Object.fromEntries(planned.map((host) => [host.name, factsOf(host)])),
        hosts: Object.fromEntries(planned.map((host) => [host.name, host.state])),
      },
      // The kernels' state goes with the machines: a lab that is destroyed needs no clean-up of its own.
      { parent: this, dependsOn: [...lab.bootstrapped], deletedWith: lab.underlay },
    )
    this.registerOutputs({})
  }
}
