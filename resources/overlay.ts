import * as pulumi from '@pulumi/pulumi'
import { type KernelsWithFou, mustAsk } from '../overlay/datapath.ts'
import { offLink } from '../overlay/links.ts'
import { factsOf, planLab, type PlannedHost } from '../overlay/plan.ts'
import type { Inventory } from '../inventory/inventory.ts'
import type { Name } from '../inventory/values.ts'
import { lackText } from '../machines/ssh/look.ts'
import type { HostFacts } from '../modules/module.ts'
import type { HostState } from '../modules/state.ts'
import type { Target } from '../remote/target.ts'
import { type CareArgs, DataPlane, type DataPlaneArgs } from './data-plane.ts'
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
    if (Object.keys(lab.hosts).length > 0) {
      const dependsOn = pulumi.output(lab.prepared).apply((prepared) => [...lab.bootstrapped, ...prepared])
      const underlay = lab.ownUnderlay
      this.dataPlane = new DataPlane(
        name,
        {
          ...(underlay && { identityFile: underlay.identityFile, boots: bootsOf(lab) }),
          ...withHosts(lab),
        },
        // Hosts that exist are cleaned when it goes.
        { parent: this, dependsOn },
      )
    } else {
      // What overlab's machines hold goes with them: a lab that is destroyed needs no clean-up of its own.
      const waits = { parent: this, dependsOn: [...lab.bootstrapped], deletedWith: lab.underlay }
      this.dataPlane = new DataPlane(name, ofMachines(name, lab, waits), waits)
    }
    this.registerOutputs({})
  }
}

interface States {
  readonly facts: Readonly<Record<string, HostFacts>>
  readonly hosts: Readonly<Record<string, HostState>>
  readonly datapaths: Readonly<Record<string, string>> | undefined
}

/** Of a lab of machines that overlab makes. Where a kernel has to be asked for the datapath, the plan waits for that. */
function ofMachines(name: string, lab: Lab, waits: pulumi.CustomResourceOptions): DataPlaneArgs {
  const planned = Object.values(planLab(lab.inventory).hosts)
  const { Backend } = lab.inventory.lab.overlay
  const asked = Backend.Type === 'udp' ? lab.inventory.hosts.filter(mustAsk).map((host) => host.name) : []
  const { identityFile } = lab.underlay
  const targetsOf = (hosts: readonly string[]) =>
    Object.fromEntries(hosts.map((host) => [host, targetOf(lab, host)]))
  const unfit = unbooted(lab)
  const kernels =
    asked.length > 0
      ? new Kernels(
          name,
          {
            lab: lab.inventory.lab.name,
            identityFile,
            targets: unfit.apply((not) => targetsOf(asked.filter((host) => !(host in not)))),
          },
          waits,
        )
      : undefined
  /** A value that takes the kernel's answer is not known before it is there. */
  const ofHost = <T>(host: PlannedHost, value: (host: PlannedHost) => T): pulumi.Input<T> =>
    kernels && asked.includes(host.name)
      ? kernels.fou.apply((fou) => value(planLab(lab.inventory, fou).hosts[host.name]!))
      : value(host)
  const datapaths = Object.fromEntries(
    planned.flatMap((host) =>
      host.datapath ? [[host.name, ofHost(host, (one) => saidDatapath(one)!)]] : [],
    ),
  )
  return {
    identityFile,
    targets: targetsOf(planned.map((host) => host.name)),
    boots: bootsOf(lab),
    unfit: orNone(unfit),
    facts: Object.fromEntries(planned.map((host) => [host.name, factsOf(host)])),
    ...(Object.keys(datapaths).length > 0 && { datapaths }),
    hosts: Object.fromEntries(planned.map((host) => [host.name, ofHost(host, ({ state }) => state)])),
  }
}

/** Machines that do not boot, and why. */
function unbooted(lab: Lab): pulumi.Output<Record<string, string>> {
  const problems = Object.entries(lab.machines).map(([host, { problem }]) =>
    // A state of before has none.
    problem.apply((why?: string): [string, string] => [host, why ?? '']),
  )
  return pulumi.all(problems).apply((all) => Object.fromEntries(all.filter(([, why]) => why !== '')))
}

function orNone(unfit: pulumi.Output<Record<string, string>>) {
  return unfit.apply((hosts) => (Object.keys(hosts).length > 0 ? hosts : undefined))
}

function bootsOf(lab: Lab): Record<string, pulumi.Output<string>> {
  return Object.fromEntries(Object.entries(lab.machines).map(([host, { boot }]) => [host, boot]))
}

function saidDatapath({ datapath }: PlannedHost): string | undefined {
  return datapath && `${datapath.datapath} (${datapath.why})`
}

function statesOf(inventory: Inventory, kernels: KernelsWithFou, isIn: (host: string) => boolean): States {
  const hosts = Object.values(planLab(inventory, kernels).hosts).filter(({ name }) => isIn(name))
  const datapaths = hosts.flatMap((host) => {
    const said = saidDatapath(host)
    return said === undefined ? [] : [[host.name, said] as const]
  })
  return {
    datapaths: datapaths.length > 0 ? Object.fromEntries(datapaths) : undefined,
    facts: Object.fromEntries(hosts.map((host) => [host.name, factsOf(host)])),
    hosts: Object.fromEntries(hosts.map((host) => [host.name, host.state])),
  }
}

interface Looked {
  readonly target: Omit<Target, 'name'> | null
  readonly way: CareArgs['way'] | null
  readonly problem: string
  readonly owner: string
  readonly fou: boolean
}

/** With hosts that exist: their NICs, and whether they are fit, are known when they have been looked at. */
function withHosts(
  lab: Lab,
): Pick<DataPlaneArgs, 'targets' | 'facts' | 'hosts' | 'datapaths' | 'care' | 'unfit'> {
  const looked = Object.entries(lab.hosts).map(([name, host]) =>
    pulumi
      .all([host.target, host.way, host.problem, host.owner, host.fou])
      .apply(([target, way, problem, owner, fou]): [string, Looked] => [
        name,
        { target, way, problem, owner, fou },
      ]),
  )
  const all = pulumi.all([lab.known, pulumi.all(looked)]).apply(([known, found]) => {
    const behind = offLink(known)
    const hosts: Readonly<Record<string, Looked>> = Object.fromEntries(
      found.map(([name, one]) => {
        const why = behind[name as Name]
        return [name, one.problem === '' && why ? { ...one, problem: lackText(name, [why]) } : one]
      }),
    )
    // What they are told takes the place of a plan for them.
    const inventory = {
      ...known,
      hosts: known.hosts.map(({ onLink, ...host }) =>
        onLink && !(host.name in behind) ? { ...host, onLink } : host,
      ),
    }
    const unfit = Object.entries(hosts).filter(
      ([, { target, way, problem }]) => problem !== '' || !target || !way,
    )
    const fit = Object.entries(hosts).filter(([name]) => !unfit.some(([other]) => other === name))
    const kernels: KernelsWithFou = Object.fromEntries(fit.map(([name, { fou }]) => [name, fou]))
    const isIn = (host: string) => !(host in hosts) || fit.some(([name]) => name === host)
    return {
      targets: Object.fromEntries(fit.map(([name, { target }]) => [name, target!])),
      care: Object.fromEntries(
        fit.map(([name, { way, owner }]) => [
          name,
          {
            way: way!,
            owner,
            confirm: inventory.hosts.find((host) => host.name === name)?.ssh?.confirm ?? 0,
          },
        ]),
      ),
      unfit: Object.fromEntries(unfit.map(([name, { problem }]) => [name, problem])),
      ...statesOf(inventory, kernels, isIn),
    }
  })
  const made = Object.fromEntries(Object.keys(lab.machines).map((host) => [host, targetOf(lab, host)]))
  return {
    targets: pulumi.all([pulumi.output(made), all.targets]).apply(([one, other]) => ({ ...one, ...other })),
    facts: all.facts,
    hosts: all.hosts,
    care: all.care,
    datapaths: all.apply(({ datapaths }) => datapaths) as pulumi.Output<Record<string, string>>,
    unfit: orNone(
      pulumi.all([all.unfit, unbooted(lab)]).apply(([existing, made]) => ({ ...existing, ...made })),
    ),
  }
}
