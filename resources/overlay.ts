import * as pulumi from '@pulumi/pulumi'
import { mustAsk } from '../overlay/datapath.ts'
import { factsOf, planLab, type PlannedHost } from '../overlay/plan.ts'
import { DataPlane } from './data-plane.ts'
import { targetOf } from './host-target.ts'
import { Kernels } from './kernels.ts'
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
    const { Backend } = lab.inventory.lab.overlay
    const asked = Backend.Type === 'udp' ? lab.inventory.hosts.filter(mustAsk).map(({ name }) => name) : []
    const { identityFile } = lab.underlay
    const targetsOf = (hosts: readonly string[]) =>
      Object.fromEntries(hosts.map((host) => [host, targetOf(lab, host)]))
    const waits = { parent: this, dependsOn: [...lab.bootstrapped], deletedWith: lab.underlay }
    const kernels =
      asked.length > 0 ? new Kernels(name, { identityFile, targets: targetsOf(asked) }, waits) : undefined
    /** A value that takes the kernel's answer is not known before it is there. */
    const ofHost = <T>(host: PlannedHost, value: (host: PlannedHost) => T): pulumi.Input<T> =>
      kernels && asked.includes(host.name)
        ? kernels.fou.apply((fou) => value(planLab(lab.inventory, fou).hosts[host.name]!))
        : value(host)
    const datapaths = Object.fromEntries(
      planned.flatMap((host) => {
        const said = ({ datapath }: PlannedHost) => `${datapath?.datapath} (${datapath?.why})`
        return host.datapath ? [[host.name, ofHost(host, said)]] : []
      }),
    )
    this.dataPlane = new DataPlane(
      name,
      {
        identityFile,
        targets: targetsOf(planned.map((host) => host.name)),
        facts: Object.fromEntries(planned.map((host) => [host.name, factsOf(host)])),
        ...(Object.keys(datapaths).length > 0 && { datapaths }),
        hosts: Object.fromEntries(planned.map((host) => [host.name, ofHost(host, ({ state }) => state)])),
      },
      // The kernels' state goes with the machines: a lab that is destroyed needs no clean-up of its own.
      waits,
    )
    this.registerOutputs({})
  }
}
