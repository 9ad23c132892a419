/**
 * Machines that are VMs under qemu. Each has a disk of its own over a shared image, its tap on the lab's underlay, and
 * its console in a file. The record of a VM lies in /run/overlab/LAB as that of every machine, its disk in
 * /var/lib/overlab/LAB. The scripts in `qemu/` do the work as root.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { QemuSettings } from '../inventory/inventory.ts'
import type { Name } from '../inventory/values.ts'
import { HostError } from '../remote/errors.ts'
import type { Target } from '../remote/target.ts'
import { awaitGreeting } from './lab/greeting.ts'
import { diskFile, machineFolder, portLink } from './lab/paths.ts'
import { listOf, readMachine, targetOf } from './lab/records.ts'
import { findProgram, runScript } from './lab/script.ts'
import { powerCut, remove } from './lab/stop.ts'
import { specWords } from './lab/words.ts'
import type { Driver, MachineSpec, Say } from './machine.ts'
import { chooseAccelerator, kvmFailed } from './qemu/accelerator.ts'
import type { Accelerator } from './qemu/accelerator.ts'
import { qemuCommand } from './qemu/command.ts'
import { diskFormat } from './qemu/disk-format.ts'
import { makeImage } from './qemu/image.ts'

/** ms. An emulated CPU takes 10 s for a boot; a machine that runs many other things, many times that. */
const bootPatience = 240_000
/** ms. A VM that works answers in a second or two. */
const hangPatience = 30_000
/** ms until the first sign of life, of a kernel that the CPU itself runs or of one that ran before. */
const kernelPatience = 15_000

export const qemuDriver: Driver = { boot, read, list: (lab) => listOf('qemu', lab), powerCut, remove }

const plain: QemuSettings = { vcpus: 1, memory: 256 }

async function boot(spec: MachineSpec, say: Say = () => {}): Promise<Target> {
  const place = { host: spec.name, step: 'boot' }
  const running = await livingAsTold(spec)
  // Who asks for a boot has read before, and waited then.
  if (running && (await answers(spec, running.target, kernelPatience))) return running.target
  const hung = running ? String(running.pid) : ''
  for (const program of ['qemu-system-x86_64', 'qemu-img']) {
    if (await findProgram(program)) continue
    throw new HostError({
      ...place,
      why: `machine: qemu needs ${program}`,
      hint: 'npm run setup installs it',
    })
  }
  let accelerator = await chooseAccelerator()
  say(words(accelerator))
  let target = await start(spec, accelerator, hung, say)
  if (accelerator.name === 'kvm' && !(await showsLife(spec))) {
    await kvmFailed()
    await powerCut(spec.lab, spec.name)
    accelerator = { name: 'tcg', why: `no kernel started under KVM within ${kernelPatience / 1000} s` }
    say(words(accelerator))
    target = await start(spec, accelerator, '', say)
  }
  const greeting = await awaitGreeting(target.host, target.hostKey, bootPatience, () => failed(spec))
  if (greeting === 'pinned') return target
  if (greeting === 'other key') {
    throw new HostError({
      ...place,
      why: `${target.host} answers with another SSH host key than the machine was given`,
      hint: 'has its image cloud-init, as a machine: qemu of your own image needs?',
    })
  }
  const stopped = await failed(spec)
  const error = new HostError({
    ...place,
    why: stopped
      ? 'the VM does not boot; its console ends with'
      : `SSH at ${target.host} does not answer within ${bootPatience / 1000} s; the VM's console ends with`,
    stderr: await printed(spec),
    hint: `all of it is in ${machineFolder(spec.lab, spec.name)}/console`,
  })
  // It would use a CPU for nothing.
  await powerCut(spec.lab, spec.name)
  throw error
}

function words({ name, why }: Accelerator): string {
  return `booting (${name.toUpperCase()}: ${why})`
}

async function read(spec: MachineSpec): Promise<Target | undefined> {
  const running = await livingAsTold(spec)
  return running && (await answers(spec, running.target, hangPatience)) ? running.target : undefined
}

/** A VM whose qemu lives, and that was started with this spec. It may hang all the same. */
async function livingAsTold(spec: MachineSpec): Promise<{ target: Target; pid: number } | undefined> {
  const machine = await readMachine(spec.lab, spec.name)
  if (machine?.kind !== 'qemu' || machine.pid === undefined || machine.spec !== specLine(spec))
    return undefined
  return { target: targetOf(spec.lab, machine), pid: machine.pid }
}

async function answers(spec: MachineSpec, target: Target, patience: number): Promise<boolean> {
  return (
    (await awaitGreeting(target.host, target.hostKey, patience, async () => !(await lives(spec)))) ===
    'pinned'
  )
}

async function lives(spec: MachineSpec): Promise<boolean> {
  return (await readMachine(spec.lab, spec.name))?.pid !== undefined
}

/** Nothing more is to be expected of this boot. */
async function failed(spec: MachineSpec): Promise<boolean> {
  return !(await lives(spec)) || /Kernel panic|No bootable device/.test(await printed(spec))
}

async function showsLife(spec: MachineSpec): Promise<boolean> {
  const deadline = performance.now() + kernelPatience
  while (performance.now() < deadline && (await lives(spec))) {
    if ((await printed(spec)) !== '') return true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return false
}

/** What qemu, the firmware and the kernel have said so far. */
async function printed({ lab, name }: MachineSpec): Promise<string> {
  const texts = await Promise.all(
    ['messages', 'firmware', 'console'].map((file) =>
      readFile(join(machineFolder(lab, name), file), 'utf8').catch(() => ''),
    ),
  )
  return texts.join('').trim()
}

async function start(spec: MachineSpec, accelerator: Accelerator, hung: string, say: Say): Promise<Target> {
  const place = { host: spec.name, step: 'boot' }
  const settings = spec.qemu ?? plain
  const made = settings.image === undefined ? await makeImage((step) => say(`image: ${step}`)) : undefined
  const base = made?.disk ?? settings.image ?? ''
  const format = made ? 'raw' : await formatOf(base, place)
  say(words(accelerator))
  const command = qemuCommand({
    name: spec.name,
    mac: spec.mac,
    port: portLink(spec.name),
    disk: diskFile(spec.lab, spec.name),
    settings,
    accelerator: accelerator.name,
    ownKernel: made !== undefined,
  })
  await runScript(place, 'qemu/boot.sh', [
    ...[spec.lab, spec.name, ...specWords(spec), portLink(spec.name), specLine(spec), hung],
    ...[base, format, made ? 'kernel' : 'seed', String(settings.disk ?? ''), '--', ...command],
  ])
  const machine = await readMachine(spec.lab, spec.name)
  if (!machine)
    throw new HostError({ ...place, why: `${machineFolder(spec.lab, spec.name)} can not be read` })
  return targetOf(spec.lab, machine)
}

async function formatOf(image: string, place: { host: Name; step: string }): Promise<string> {
  try {
    return await diskFormat(image)
  } catch (error) {
    throw new HostError({
      ...place,
      why: `the image ${image} can not be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      hint: 'check the path and its permissions',
    })
  }
}

function specLine(spec: MachineSpec): string {
  const { vcpus, memory, disk, image } = spec.qemu ?? plain
  return [...specWords(spec), vcpus, memory, disk ?? '-', image ?? '-'].join(' ')
}
