/** What a lab's files under /run/overlab say. Reading needs no root: they belong to the user who made the lab. */
import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { machineKinds } from '../../inventory/inventory.ts'
import type { MachineKind } from '../../inventory/inventory.ts'
import { parseJson } from '../../inventory/json.ts'
import type { Name } from '../../inventory/values.ts'
import type { Target } from '../../remote/target.ts'
import type { MachineStatus } from '../machine.ts'
import { labRecord, type LabRecord } from './conflict.ts'
import { identityFile, labFolder, labsFolder, machineFolder } from './paths.ts'
import { livingPid } from './process.ts'

export interface MachineRecord {
  readonly name: Name
  readonly kind: MachineKind
  readonly address: string
  /** What the machine was last started with: `ADDRESS PREFIX CONTROLLER MTU MAC`, then what its kind adds. */
  readonly spec: string
  readonly hostKey: string
  /** Its pid 1 in this machine's pid namespace; undefined where it does not run. */
  readonly pid: number | undefined
  /** When it was started last: its pid 1 and that one's start time. */
  readonly boot: string | undefined
}

async function read(...path: string[]): Promise<string | undefined> {
  return (await readFile(join(...path), 'utf8').catch(() => undefined))?.trim()
}

export async function readLab(lab: Name): Promise<LabRecord | undefined> {
  const text = await read(labFolder(lab), 'owner')
  return text === undefined ? undefined : parseJson(labRecord, text, join(labFolder(lab), 'owner'))
}

export async function readMachine(lab: Name, name: Name): Promise<MachineRecord | undefined> {
  const folder = machineFolder(lab, name)
  const [kind, spec, key, pid] = await Promise.all([
    read(folder, 'kind'),
    read(folder, 'spec'),
    read(folder, 'hostkey.pub'),
    read(folder, 'pid'),
  ])
  const known = machineKinds.find((one) => one === kind)
  if (!known || !spec || !key) return undefined
  const [address = ''] = spec.split(' ')
  // Without its comment.
  const hostKey = key.split(' ').slice(0, 2).join(' ')
  return { name, kind: known, address, spec, hostKey, pid: pid ? await livingPid(pid) : undefined, boot: pid }
}

export async function readMachines(lab: Name): Promise<MachineRecord[]> {
  const names = await readdir(join(labFolder(lab), 'machines')).catch(() => [])
  const machines = await Promise.all(names.map((name) => readMachine(lab, name as Name)))
  return machines
    .filter((machine) => machine !== undefined)
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}

/** The machines of one kind in a lab, running or not. */
export async function listOf(kind: MachineKind, lab: Name): Promise<MachineStatus[]> {
  const machines = (await readMachines(lab)).filter((machine) => machine.kind === kind)
  return machines.map((machine) => ({
    target: targetOf(lab, machine),
    running: machine.pid !== undefined,
  }))
}

/** The names of the labs that are up, or partly so. */
export async function labNames(): Promise<Name[]> {
  const entries = await readdir(labsFolder).catch(() => [])
  // `.lock` is none.
  return entries.filter((entry) => !entry.startsWith('.')).sort() as Name[]
}

export function targetOf(lab: Name, machine: MachineRecord): Target {
  return {
    name: machine.name,
    host: machine.address,
    port: 22,
    user: 'root',
    identityFile: identityFile(lab),
    hostKey: machine.hostKey,
  }
}

/** Whether a running machine still has its NIC, as its own kernel tables say. */
export async function hasNic(pid: number): Promise<boolean> {
  return /^ *eth0:/m.test((await read(`/proc/${pid}/net/dev`)) ?? '')
}

/** Whether a file is a mount point, `realpath` first since the kernel lists no links. */
export async function isMounted(path: string): Promise<boolean> {
  const real = await realpath(path).catch(() => undefined)
  const mounts = (await read('/proc/self/mountinfo')) ?? ''
  return real !== undefined && mounts.split('\n').some((line) => line.split(' ')[4] === real)
}
