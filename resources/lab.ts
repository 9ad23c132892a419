import { existsSync, statSync } from 'node:fs'
import { isAbsolute, join, dirname } from 'node:path'
import { remote } from '@pulumi/command'
import * as pulumi from '@pulumi/pulumi'
import type { Act, Host, Inventory, SshAccess } from '../inventory/inventory.ts'
import { controllerSources, resolved, type EnvironmentValue } from '../inventory/references.ts'
import { placed, type Place } from '../machines/found.ts'
import { hostMac } from '../overlay/mac.ts'
import { planLab } from '../overlay/plan.ts'
import { carried } from './act.ts'
import { actConnection, type Connection, hostConnection } from './connection.ts'
import { installLine } from './install.ts'
import { Machine } from './machine.ts'
import { SshHost } from './ssh-host.ts'
import { Underlay } from './underlay.ts'

/** What a program knows of a host that exists only when other resources are there: the outputs of any provider. */
export interface HostAddress {
  /** Its address in the underlay. */
  readonly address?: pulumi.Input<string>
  /** Where its sshd is reached, if that is another one. */
  readonly sshHost?: pulumi.Input<string>
  /** The public key that its sshd shows, `ssh-ed25519 AAAA...`. */
  readonly sshHostKey?: pulumi.Input<string>
}

export interface LabArgs {
  readonly inventory: Inventory
  /** By the inventory's names; goes before what the inventory says. */
  readonly hosts?: Readonly<Record<string, HostAddress>>
}

/**
 * A lab's machines: the underlay that joins those that overlab makes, each machine, the hosts that exist, and the
 * inventory's one-shot acts on them.
 */
export class Lab extends pulumi.ComponentResource {
  readonly inventory: Inventory
  /** The same with what was found out about hosts that exist: addresses of other resources, NICs. */
  readonly known: pulumi.Output<Inventory>
  /** Of the machines that overlab makes. */
  readonly machines: Readonly<Record<string, Machine>>
  /** Hosts that exist. */
  readonly hosts: Readonly<Record<string, SshHost>>
  /** Hosts that exist have what was missing, and their acts of `bootstrap:` are done, when these are. */
  readonly prepared: pulumi.Output<pulumi.Resource[]>
  readonly #underlay: Underlay | undefined
  /** The last act of each host's `bootstrap:`; what is built on the machines waits for these. */
  readonly bootstrapped: readonly pulumi.Resource[]

  constructor(name: string, args: LabArgs, options?: pulumi.ComponentResourceOptions) {
    super('overlab:index:Lab', name, {}, options)
    const { lab, hosts } = args.inventory
    this.inventory = args.inventory
    const owner = `stack ${pulumi.getStack()} of ${projectFolder()}`
    const made = hosts.filter(({ machine }) => machine !== 'ssh')
    const existing = hosts.filter(({ machine }) => machine === 'ssh')
    this.#underlay =
      made.length > 0
        ? new Underlay(
            name,
            { lab: lab.name, cidr: lab.underlay, mtu: lab.mtu, owner },
            // Whoever has the state owns the lab, also after the project's folder was moved.
            { parent: this, ignoreChanges: ['owner'] },
          )
        : undefined
    this.machines = byName(made, (host) => this.machine(name, host))
    this.hosts = byName(existing, (host) =>
      this.host(name, host, `lab ${lab.name}, ${owner}`, args.hosts?.[host.name]),
    )
    this.known = this.found(args.inventory)
    this.prepared = pulumi.all(existing.map((host) => this.prepare(name, host))).apply((all) => all.flat())
    this.bootstrapped = made.flatMap((host) => {
      const machine = this.machines[host.name]!
      return this.bootstrap(name, host, machine, actConnection(machine, this.underlay.identityFile))
    })
    this.registerOutputs({})
  }

  /** @throws Error in a lab of hosts that exist only, which has none */
  get underlay(): Underlay {
    if (!this.#underlay)
      throw new Error('this lab has no machine that overlab makes, and so no underlay of its own')
    return this.#underlay
  }

  /** Undefined in a lab of hosts that exist only. */
  get ownUnderlay(): Underlay | undefined {
    return this.#underlay
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
        // Its failure is the data plane's to tell, unless something else of it is needed before that.
        ...(host.bootstrap.length === 0 && host.control === 'static' && { mayFail: true }),
      },
      // A replaced machine keeps its name and address, so the old one must go first.
      { parent: this, deletedWith: this.underlay, deleteBeforeReplace: true },
    )
  }

  private host(name: string, host: Host, owner: string, given: HostAddress = {}): SshHost {
    const { lab } = this.inventory
    const access = pulumi
      .all([given.sshHost, given.sshHostKey, given.address])
      .apply(([sshHost, hostKey, address]): SshAccess => ({
        ...host.ssh!,
        // A stand-in for the address stands for the way there too.
        host: sshHost ?? (host.ssh!.host === host.address ? (address ?? host.address) : host.ssh!.host),
        ...(hostKey !== undefined && { hostKey: hostKey.trim().split(/\s+/).slice(0, 2).join(' ') }),
      }))
    return new SshHost(
      `${name}-${host.name}`,
      {
        lab: lab.name,
        hostname: host.name,
        address: given.address ?? host.address,
        underlay: lab.underlay,
        network: lab.overlay.Network,
        mtu: lab.mtu,
        backend: lab.overlay.Backend.Type,
        links: Object.keys(planLab(this.inventory).hosts[host.name]!.state.links ?? {}),
        ...('Port' in lab.overlay.Backend && { port: lab.overlay.Backend.Port }),
        ...(host.nic && { givenNic: host.nic }),
        owner,
        persist: host.persist ?? false,
        access,
      },
      { parent: this, ignoreChanges: ['owner'] },
    )
  }

  private found(inventory: Inventory): pulumi.Output<Inventory> {
    const hosts = pulumi.all(
      Object.fromEntries(
        Object.entries(this.hosts).map(([name, host]) => [
          name,
          pulumi.output({ address: host.address, nic: host.nic, onLink: host.onLink, systemd: host.systemd }),
        ]),
      ),
    )
    return hosts.apply((found) => ({
      ...inventory,
      hosts: inventory.hosts.map((host) => {
        const known = found[host.name]
        return known ? placed(host, known as Place) : host
      }),
    }))
  }

  /**
   * Packages where some are missing only: who has all is not dialled once more. Nothing on a host that was never
   * fit: what fails there must not stop the others.
   */
  private prepare(lab: string, host: Host): pulumi.Output<pulumi.Resource[]> {
    const one = this.hosts[host.name]!
    return pulumi
      .all([one.packages, one.attempt, one.target, one.admitted])
      .apply(([packages, attempt, target, admitted]) => {
        if (!target || !admitted) return []
        const connection = hostConnection(target)
        const installed =
          packages.length === 0
            ? []
            : [
                new remote.Command(
                  `${lab}-${host.name}.packages`,
                  {
                    connection,
                    create: installLine(packages, host.ssh!.become),
                    triggers: [packages.join(' '), String(attempt)],
                    addPreviousOutputInEnv: false,
                  },
                  { parent: one },
                ),
              ]
        return [...installed, ...this.bootstrap(lab, host, one, connection, installed)]
      })
  }

  private bootstrap(
    lab: string,
    host: Host,
    machine: Machine | SshHost,
    connection: Connection,
    after: readonly pulumi.Resource[] = [],
  ): pulumi.Resource[] {
    const done: pulumi.Resource[] = []
    for (const [index, act] of host.bootstrap.entries()) {
      // A dot is in no name, so that host a's act b-c is not host a-b's act c.
      const name = `${lab}-${host.name}.${act.name}`
      // In the order of the file: each act waits for the one before it.
      const options = { parent: machine, dependsOn: [...after, ...done.slice(-1)] }
      done.push(
        'command' in act
          ? new remote.Command(
              name,
              commandArgs(`${host.name}, act ${index + 1}: ${act.name}`, act, connection, host.ssh),
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

function byName<T>(hosts: readonly Host[], make: (host: Host) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(hosts.map((host) => [host.name, make(host)]))
}

/** Pulumi runs a program in the folder of its `main`. (pulumi.getRootDirectory() is no path under every language host.) */
function projectFolder(): string {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'Pulumi.yaml'))) return folder
    if (folder === dirname(folder)) return process.cwd()
  }
}

/** By standard input and as a secret: a command and its environment may hold a password. */
function commandArgs(
  label: string,
  { command, delete: undo, environment, triggers }: Extract<Act, { command: string }>,
  connection: Connection,
  ssh: SshAccess | undefined,
): remote.CommandArgs {
  const text = {
    command,
    ...(undo !== undefined && { delete: undo }),
    environment: Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [key, textOf(value, `${label}: environment.${key}`)]),
    ),
  }
  const { stdin, ...lines } = carried(label, text, ssh?.become ?? false)
  const isReferred = Object.values(environment).some((value) => typeof value !== 'string')
  return {
    connection,
    ...lines,
    stdin: pulumi.secret(stdin),
    triggers: [...triggers],
    ...(ssh && { addPreviousOutputInEnv: false }),
    // What is told a secret may print it.
    ...(isReferred && { logging: remote.Logging.None }),
  }
}

function textOf(value: EnvironmentValue, place: string): string {
  const found = resolved(value, controllerSources)
  if ('text' in found) return found.text
  throw new pulumi.RunError(`${place}: ${found.what}; ${found.todo}`)
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
