/** Where a lab keeps its files, and what its links are called. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Name } from '../../inventory/values.ts'

export const labsFolder = '/run/overlab'

export function labFolder(lab: Name): string {
  return join(labsFolder, lab)
}

export function machineFolder(lab: Name, name: Name): string {
  return join(labFolder(lab), 'machines', name)
}

/** Files that all machines of a lab see, read-only, at `sharedOnMachines`. */
export function sharedFolder(lab: Name): string {
  return join(labFolder(lab), 'shared')
}

export const sharedOnMachines = '/run/overlab/shared'

/** A VM's disk: too large for the memory that the rest of a lab lies in. */
export function diskFile(lab: Name, name: Name): string {
  return join('/var/lib/overlab', lab, name, 'disk.qcow2')
}

export function identityFile(lab: Name): string {
  return join(labFolder(lab), 'id_ed25519')
}

/** The controller's link to a lab, in this machine's own network namespace. */
export function controllerLink(lab: Name): string {
  return linkName('ovl', lab)
}

/** A machine's port on the underlay's bridge. */
export function portLink(name: Name): string {
  return linkName('m', name)
}

/**
 * `PREFIX-NAME` where 15 characters hold it (IFNAMSIZ less the final zero), else `PREFIX.` and as much of a hash as
 * fits. No name has a dot, so the two forms never meet.
 */
function linkName(prefix: string, name: string): string {
  const plain = `${prefix}-${name}`
  if (plain.length <= 15) return plain
  return `${prefix}.${createHash('sha256').update(name).digest('hex')}`.slice(0, 15)
}
