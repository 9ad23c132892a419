import { existsSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, dirname } from 'node:path'
import { remote } from '@pulumi/command'
import * as pulumi from '@pulumi/pulumi'
import type { Act, Host, Inventory } from '../inventory/inventory.ts'
import { hostMac } from '../overlay/mac.ts'
import { Machine } from './machine.ts'
import { Underlay } from './underlay.ts'

export interface LabArgs {
  readonly inventory: Inventory
}

/** A lab's machines: the underlay that joins them, each machine, and the inventory's one-shot acts on them. */
export class Lab extends pulumi.ComponentResource {
  readonly inventory: Inventory
  readonly underlay: Underlay
  readonly machines: Readonly<Record<string, Machine>>
  /** The last act of each host's `bootstrap:`; what is built on the machines waits for these. */
  readonly bootstrapped: readonly pulumi.Resource[]

  constructor(name: string, args: LabArgs, options?: pulumi.ComponentResourceOptions) {
    super('overlab:index:Lab', name, {}, options)
    const { lab, hosts } = args.inventory
    this.inventory = args.inventory
    this.underlay = new Underlay(
      name,
      {
        lab: lab.name,
        cidr: lab.underlay,
        mtu: lab.mtu,
        owner: `stack ${pulumi.getStack()} of ${projectFolder()}`,
      },
      // Whoever has the state owns the lab, also after the project's folder was moved.
      { parent: this, ignoreChanges: ['owner'] },
    )
    this.machines = Object.fromEntries(hosts.map((host) => [host.name, this.machine(name, host)]))
    this.bootstrapped = hosts.flatMap((host) => this.bootstrap(name, host))
    this.registerOutputs({})
  }

  /** Named after the component too: two labs in one program may have hosts of the same names. */
  private machine(name: string, host: Host): Machine {
    const { lab } = this.inventory
    return new Machine(
      `${name}-${host.name}`,
      {
        lab: this.underlay.lab,
        machine: host.machine,
        hostname: host.name,
        address: host.address,
        underlay: lab.underlay,
        mtu: lab.mtu,
        mac: hostMac(host.name),
        ...(host.qemu && { qemu: host.qemu }),
      },
      // A replaced machine keeps its name and address, so the old one must go first.
      { parent: this, deletedWith: this.underlay, deleteBeforeReplace: true },
    )
  }

  private bootstrap(lab: string, host: Host): pulumi.Resource[] {
    const machine = this.machines[host.name]!
    const connection = {
      host: machine.address,
      port: machine.port,
      user: machine.user,
      hostKey: machine.hostKey,
      privateKey: pulumi.secret(this.underlay.identityFile.apply((file) => readFileSync(file, 'utf8'))),
    }
    const done: pulumi.Resource[] = []
    for (const act of host.bootstrap) {
      // A dot is in no name, so that host a's act b-c is not host a-b's act c.
      const name = `${lab}-${host.name}.${act.name}`
      // In the order of the file: each act waits for the one before it.
      const options = { parent: machine, dependsOn: done.slice(-1) }
      done.push(
        'command' in act
          ? new remote.Command(
              name,
              commandArgs(act, connection),
              act.delete ? options : { ...options, deletedWith: machine },
            )
          : new remote.CopyToRemote(name, copyArgs(act, connection, this.inventory.file), {
              ...options,
              deletedWith: machine,
            }),
      )
    }
    return done.slice(-1)
  }
}

/** Pulumi runs a program in the folder of its `main`. (pulumi.getRootDirectory() is no path under every language host.) */
function projectFolder(): string {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'Pulumi.yaml'))) return folder
    if (folder === dirname(folder)) return process.cwd()
  }
}

type Connection = remote.CommandArgs['connection']

function commandArgs(act: Extract<Act, { command: string }>, connection: Connection): remote.CommandArgs {
  return {
    connection,
    create: act.command,
    triggers: [...act.triggers],
    environment: { ...act.environment },
    ...(act.delete === undefined ? {} : { delete: act.delete }),
  }
}

function copyArgs(
  act: Extract<Act, { copy: string }>,
  connection: Connection,
  inventory: string,
): remote.CopyToRemoteArgs {
  const path = isAbsolute(act.copy) ? act.copy : join(dirname(inventory), act.copy)
  return { connection, source: sourceOf(path), remotePath: act.to, triggers: [...act.triggers] }
}

function sourceOf(path: string): pulumi.asset.Asset | pulumi.asset.Archive {
  return statSync(path).isDirectory() ? new pulumi.asset.FileArchive(path) : new pulumi.asset.FileAsset(path)
}
