/** Who runs a VM's instructions: the CPU itself (KVM) where that is proved to work, else qemu (TCG). */
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { imagesFolder } from './image.ts'

export interface Accelerator {
  readonly name: 'kvm' | 'tcg'
  /** Why, as in a message. */
  readonly why: string
}

const bootId = '/proc/sys/kernel/random/boot_id'

/**
 * KVM needs /dev/kvm and a CPU that has virtualization. Some hosts show the device without the CPU: qemu then aborts,
 * or stays alive with a VM that never starts. And where both are there, a VM that was seen to hang under KVM counts
 * against it until this machine's next boot.
 */
export async function chooseAccelerator(): Promise<Accelerator> {
  const tcg = (why: string): Accelerator => ({ name: 'tcg', why })
  if (!(await exists('/dev/kvm'))) return tcg('there is no /dev/kvm')
  if (!hasVirtualization(await text('/proc/cpuinfo'))) return tcg('the CPU has neither svm nor vmx')
  if ((await text(failedFile())) === (await text(bootId))) return tcg('no kernel started under KVM before')
  return { name: 'kvm', why: '/dev/kvm' }
}

/** Notes that no kernel starts under KVM. */
export async function kvmFailed(): Promise<void> {
  await mkdir(imagesFolder(), { recursive: true })
  await writeFile(failedFile(), await text(bootId))
}

/** @param cpuinfo /proc/cpuinfo */
export function hasVirtualization(cpuinfo: string): boolean {
  return /^flags\s*:.*\b(svm|vmx)\b/m.test(cpuinfo)
}

function failedFile(): string {
  return join(imagesFolder(), 'kvm-failed')
}

async function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
