import { basename } from 'node:path'
import * as pulumi from '@pulumi/pulumi'
import { planControl, type PlannedService } from '../overlay/control-plane.ts'
import { etcdPrefix } from '../overlay/net-conf.ts'
import { planLab } from '../overlay/plan.ts'
import { EtcdKeys } from './etcd-keys.ts'
import { hostTargetOf } from './host-target.ts'
import type { Lab } from './lab.ts'
import type { Overlay } from './overlay.ts'
import { Service } from './service.ts'
import { SharedFile } from './shared-file.ts'

export interface ControlPlaneArgs {
  readonly lab: Lab
  /** flanneld starts when the machines hold what overlab itself puts there. */
  readonly overlay: Overlay
  /** Path of flanneld on the controller; its last part says the version. */
  readonly flanneld: string
}

/**
 * flannel's own control plane for the hosts whose inventory says `control: flanneld`: etcd on the first of them, the
 * network's configuration and every host's subnet in it, and flanneld on each. Nothing at all where every host is static.
 */
export class ControlPlane extends pulumi.ComponentResource {
  constructor(name: string, args: ControlPlaneArgs, options?: pulumi.ComponentResourceOptions) {
    super('overlab:index:ControlPlane', name, {}, options)
    const { lab, overlay } = args
    const file = basename(args.flanneld)
    const plan = planControl(lab.inventory, planLab(lab.inventory), `/run/overlab/shared/${file}`)
    if (plan) {
      const program = new SharedFile(
        `${name}-${file}`,
        { lab: lab.underlay.lab, file, source: args.flanneld },
        { parent: this, deletedWith: lab.underlay },
      )
      const etcd = this.service(name, lab, 'etcd', plan.etcd, lab.bootstrapped)
      const keys = new EtcdKeys(
        name,
        {
          target: hostTargetOf(lab, plan.etcd.host),
          endpoint: plan.endpoint,
          prefix: etcdPrefix,
          keys: plan.keys,
        },
        { parent: this, dependsOn: etcd, deletedWith: etcd },
      )
      for (const one of plan.flanneld)
        this.service(name, lab, 'flanneld', one, [program, keys, overlay.dataPlane])
    }
    this.registerOutputs({})
  }

  private service(
    name: string,
    lab: Lab,
    unit: string,
    { host, argv, environment, folders, ready, cleanup, triggers }: PlannedService,
    dependsOn: readonly pulumi.Resource[],
  ): Service {
    return new Service(
      `${name}-${host}-${unit}`,
      { target: hostTargetOf(lab, host), unit, argv, environment, folders, ready, cleanup, triggers },
      { parent: this, dependsOn: [...dependsOn], deletedWith: lab.machines[host]! },
    )
  }
}
