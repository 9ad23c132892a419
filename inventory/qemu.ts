/** What a VM is made of: `vcpus`, `memory`, `disk` and `image`. */
import { resolve } from 'node:path'
import { pathBeside } from './files.ts'
import type { Files } from './files.ts'
import { isOfHost, type GroupedHost } from './groups.ts'
import type { MachineKind, QemuSettings } from './inventory.ts'
import type { Report } from './mistakes.ts'
import { readVariable } from './numbers.ts'

export const qemuVariables = ['vcpus', 'memory', 'disk', 'image'] as const

/** Undefined for other machines. Those ignore what their groups say to VMs, but not what is said to themselves alone. */
export function qemuOf(
  host: GroupedHost,
  machine: MachineKind,
  files: Files,
  report: Report,
): QemuSettings | undefined {
  if (machine !== 'qemu') {
    for (const key of qemuVariables) {
      const variable = host.variables.get(key)
      if (variable && isOfHost(variable, host)) {
        const what = `is a variable of VMs, and ${host.name} is a machine of the kind ${machine}`
        report({ path: variable.path, atKey: true, what, todo: 'remove it, or set machine: qemu' })
      }
    }
    return undefined
  }
  const [vcpus, memory, disk, image] = [
    readVariable(host, 'vcpus'),
    readVariable(host, 'memory'),
    readVariable(host, 'disk'),
    readVariable(host, 'image'),
  ]
  const path = typeof image === 'object' ? pathBeside(files.file, image.value) : undefined
  if (typeof image === 'object' && path !== undefined && !files.exists(path)) {
    const what = `there is no ${image.value}`
    report({ path: image.variable.path, what, todo: `put a disk image at ${path}, or correct the path` })
  }
  return {
    vcpus: typeof vcpus === 'object' ? vcpus.value : 1,
    memory: typeof memory === 'object' ? memory.value : 256,
    ...(typeof disk === 'object' && { disk: disk.value }),
    ...(path !== undefined && { image: resolve(path) }),
  }
}
