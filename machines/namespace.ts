/**
 * Machines made of namespaces: each has a network, mount, pid, uts, ipc and cgroup namespace, an overlay of this
 * machine's own files as root, and an sshd. Everything a lab has lies in /run/overlab/LAB. The scripts in
 * `namespace/` do the work as root, and read from top to bottom.
 */
import { access, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import limit from 'p-limit'
import { cidr, ip, mac, name as nameSchema } from '../inventory/values.ts'
import { lastOf, toBlock, toIp, toNumber } from '../inventory/ipv4.ts'
import type { Cidr, Ip, Name } from '../inventory/values.ts'
import { HostError } from '../remote/errors.ts'
import type { Target } from '../remote/target.ts'
import type { Driver, MachineSpec, MachineStatus, Network, Underlay, UnderlaySpec } from './machine.ts'
import { findConflict } from './namespace/conflict.ts'
import type { KernelRoute, LabRecord, LinkAddresses, Surroundings } from './namespace/conflict.ts'
import { awaitGreeting } from './namespace/greeting.ts'
import {
  controllerLink,
  identityFile,
  labFolder,
  machineFolder,
  portLink,
  sharedFolder,
  sharedOnMachines,
} from './namespace/paths.ts'
import {
  hasNic,
  isMounted,
  labNames,
  readLab,
  readMachine,
  readMachines,
  targetOf,
} from './namespace/records.ts'
import { runScript } from './namespace/script.ts'
import { labUser } from './privilege.ts'

/** A boot is mostly the kernel's own work, much of it under one lock: a few at once are as fast as all at once. */
const boots = limit(2 * availableParallelism())
/** A boot takes a fraction of a second; an overloaded machine may need many times that. */
const sshPatience = 30_000

export const namespaceDriver: Driver & Network = {
  createUnderlay,
  readUnderlay,
  deleteUnderlay,
  share,
  readShared,
  unshare,
  boot,
  read,
  list,
  powerCut,
  remove,
}

async function createUnderlay(spec: UnderlaySpec): Promise<Underlay> {
  nameSchema.parse(spec.lab)
  const link = controllerLink(spec.lab)
  const { controller, prefix } = controllerOf(cidr.parse(spec.cidr))
  const place = { host: `lab ${spec.lab}`, step: 'create underlay' }
  const record: LabRecord = {
    lab: spec.lab,
    owner: spec.owner,
    cidr: spec.cidr,
    mtu: spec.mtu,
    controller,
    link,
  }
  const args = [
    spec.lab,
    link,
    controller,
    String(prefix),
    String(spec.mtu),
    String(labUser()),
    JSON.stringify(record),
    String(toNumber(controller)),
  ]
  await runScript(place, 'underlay-up.sh', args, (printed) => {
    const conflict = findConflict(spec, link, parseSurroundings(printed))
    if (conflict) throw new HostError({ ...place, ...conflict })
    return 'go'
  })
  return { controller, identityFile: identityFile(spec.lab) }
}

async function readUnderlay(lab: Name): Promise<Underlay | undefined> {
  const record = await readLab(lab)
  const folder = labFolder(lab)
  if (
    !record ||
    !(await exists(join(folder, 'ready'))) ||
    !(await exists(`/proc/sys/net/ipv4/conf/${record.link}`))
  )
    return undefined
  if (!(await isMounted(join(folder, 'underlay')))) return undefined
  return { controller: record.controller as Ip, identityFile: identityFile(lab) }
}

async function deleteUnderlay(lab: Name): Promise<void> {
  nameSchema.parse(lab)
  await runScript({ host: `lab ${lab}`, step: 'delete underlay' }, 'underlay-down.sh', [
    lab,
    controllerLink(lab),
  ])
}

async function boot(spec: MachineSpec): Promise<Target> {
  const place = { host: spec.name, step: 'boot' }
  const target = (await read(spec)) ?? (await boots(() => start(spec)))
  const stopped = async () => (await readMachine(spec.lab, spec.name))?.pid === undefined
  const greeting = await awaitGreeting(target.host, target.hostKey, sshPatience, stopped)
  if (greeting === 'pinned') return target
  const console = join(machineFolder(spec.lab, spec.name), 'console')
  if (greeting === 'other key') {
    throw new HostError({
      ...place,
      why: `${target.host} answers with another SSH host key than the machine was given`,
    })
  }
  if (await stopped()) {
    const stderr = await readFile(console, 'utf8').catch(() => '')
    throw new HostError({ ...place, why: 'the machine stopped right after its start', stderr })
  }
  throw new HostError({
    ...place,
    why: `the machine runs, but SSH at ${target.host} does not answer within ${sshPatience / 1000} s`,
    hint: `its console is ${console}; pull its plug and boot it again`,
  })
}

async function start(spec: MachineSpec): Promise<Target> {
  const place = { host: spec.name, step: 'boot' }
  await runScript(place, 'boot.sh', [spec.lab, spec.name, ...specWords(spec), portLink(spec.name)])
  const machine = await readMachine(spec.lab, spec.name)
  if (!machine)
    throw new HostError({ ...place, why: `${machineFolder(spec.lab, spec.name)} can not be read` })
  return targetOf(spec.lab, machine)
}

async function read(spec: MachineSpec): Promise<Target | undefined> {
  const words = specWords(spec).join(' ')
  const machine = await readMachine(spec.lab, spec.name)
  if (machine?.pid === undefined || machine.spec !== words || !(await hasNic(machine.pid))) return undefined
  return targetOf(spec.lab, machine)
}

async function share(lab: Name, file: string, source: string): Promise<string> {
  await shareScript(lab, file, source)
  return join(sharedOnMachines, file)
}

async function readShared(lab: Name, file: string): Promise<string | undefined> {
  return (await exists(join(sharedFolder(lab), file))) ? join(sharedOnMachines, file) : undefined
}

async function unshare(lab: Name, file: string): Promise<void> {
  await shareScript(lab, file, '')
}

async function shareScript(lab: Name, file: string, source: string): Promise<void> {
  nameSchema.parse(lab)
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(file)) throw new Error(`${file} is not a file name`)
  await runScript({ host: `lab ${lab}`, step: 'share file', object: file }, 'share.sh', [lab, file, source])
}

/** Kills it like a pulled plug, and returns when all of it is gone; its files stay. No error where it is not there. */
export async function powerCut(lab: Name, name: Name): Promise<void> {
  await stop(lab, name, 'keep')
}

async function remove(lab: Name, name: Name): Promise<void> {
  await stop(lab, name, 'remove')
}

async function stop(lab: Name, name: Name, files: 'keep' | 'remove'): Promise<void> {
  nameSchema.parse(lab)
  nameSchema.parse(name)
  const place = { host: name, step: files === 'keep' ? 'power cut' : 'remove' }
  await runScript(place, 'stop.sh', [lab, name, portLink(name), files])
}

export interface LabStatus {
  readonly lab: Name
  readonly owner: string
  readonly machines: readonly { readonly name: Name; readonly running: boolean; readonly address: string }[]
}

/** The namespace labs of this user that are up on this machine; for root, everybody's. */
export async function labs(): Promise<LabStatus[]> {
  const found = await Promise.all(
    (await labNames()).map(async (lab) => {
      const record = await readLab(lab)
      const machines = await readMachines(lab)
      return (
        record && {
          lab,
          owner: record.owner,
          machines: machines.map(({ name, address, pid }) => ({ name, running: pid !== undefined, address })),
        }
      )
    }),
  )
  return found.filter((lab) => lab !== undefined)
}

async function list(lab: Name): Promise<MachineStatus[]> {
  return (await readMachines(lab)).map((machine) => ({
    target: targetOf(lab, machine),
    running: machine.pid !== undefined,
  }))
}

/** How to reach every machine of a lab, running or not, by name; empty where there is no such lab. */
export async function targets(lab: Name): Promise<Target[]> {
  return (await list(lab)).map(({ target }) => target)
}

/** The controller's address in an underlay, its last usable one, and the prefix's length. */
export function controllerOf(underlay: Cidr): { controller: Ip; prefix: number } {
  const block = toBlock(underlay)
  return { controller: toIp(lastOf(block) - 1), prefix: block.length }
}

/** The words of a machine's start, checked: `ADDRESS PREFIX CONTROLLER MTU MAC`. */
function specWords(spec: MachineSpec): string[] {
  nameSchema.parse(spec.lab)
  nameSchema.parse(spec.name)
  const { controller, prefix } = controllerOf(cidr.parse(spec.underlay))
  return [ip.parse(spec.address), String(prefix), controller, String(Number(spec.mtu)), mac.parse(spec.mac)]
}

/** What underlay-up.sh prints: labs, a line each, `--`, addresses, routes, the controller's link. */
function parseSurroundings(printed: string): Surroundings {
  const lines = printed.split('\n')
  const end = lines.indexOf('--')
  const [addresses = '[]', routes = '[]', link = '[]'] = lines.slice(end + 1)
  return {
    labs: lines.slice(0, end).map((line) => JSON.parse(line) as LabRecord),
    addresses: JSON.parse(addresses) as LinkAddresses[],
    routes: JSON.parse(routes) as KernelRoute[],
    alias: (JSON.parse(link) as { ifalias?: string }[]).map(({ ifalias }) => ifalias ?? '').join(),
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
