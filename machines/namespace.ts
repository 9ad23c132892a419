/**
 * Machines made of namespaces: each has a user, network, mount, pid, uts, ipc and cgroup namespace, files of its own,
 * of which this computer's programs are a part, and an sshd. Everything a lab has lies in /run/overlab/LAB. The scripts in
 * `namespace/` do the work as root, and read from top to bottom.
 */
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import limit from 'p-limit'
import type { Name } from '../inventory/values.ts'
import { giveScript } from '../modules/bpf/given.ts'
import { objectDigest } from '../modules/bpf/object.ts'
import { HostError } from '../remote/errors.ts'
import type { Target } from '../remote/target.ts'
import { awaitGreeting } from './lab/greeting.ts'
import { machineFolder, portLink } from './lab/paths.ts'
import { hasNic, labNames, listOf, readLab, readMachine, readMachines, targetOf } from './lab/records.ts'
import { runScript } from './lab/script.ts'
import { powerCut, remove } from './lab/stop.ts'
import { specWords } from './lab/words.ts'
import type { Driver, MachineSpec, Network } from './machine.ts'
import { network } from './network.ts'

/** A boot is mostly the kernel's own work, much of it under one lock: a few at once are as fast as all at once. */
const boots = limit(2 * availableParallelism())
/** A boot takes a fraction of a second; an overloaded machine may need many times that. */
const sshPatience = 30_000

export { powerCut }

export const namespaceDriver: Driver & Network = {
  ...network,
  boot,
  read,
  list: (lab) => listOf('namespace', lab),
  powerCut,
  remove,
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
  const words = [spec.lab, spec.name, ...specWords(spec), portLink(spec.name), giveScript, objectDigest]
  await runScript(place, 'namespace/boot.sh', words)
  const machine = await readMachine(spec.lab, spec.name)
  if (!machine)
    throw new HostError({ ...place, why: `${machineFolder(spec.lab, spec.name)} can not be read` })
  return targetOf(spec.lab, machine)
}

async function read(spec: MachineSpec): Promise<Target | undefined> {
  const words = specWords(spec).join(' ')
  const machine = await readMachine(spec.lab, spec.name)
  if (machine?.pid === undefined || machine.spec !== words || !(await hasNic(machine.pid))) return undefined
  // Another version of overlab has other BPF programs to give.
  const given = await readFile(join(machineFolder(spec.lab, spec.name), 'given'), 'utf8').catch(() => '')
  if (given.trim() !== objectDigest) return undefined
  return targetOf(spec.lab, machine)
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

/** How to reach every machine of a lab, running or not, by name; empty where there is no such lab. */
export async function targets(lab: Name): Promise<Target[]> {
  return (await listOf('namespace', lab)).map(({ target }) => target)
}
