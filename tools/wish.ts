/** Does a lab of this project say this of its hosts? Set-up brings what only some labs need where one does. */
import { readdirSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { repository } from './paths.ts'

/** `machine: qemu`, `control: flanneld`: a variable of lab, group and host, and its value. */
export interface Wish {
  readonly key: string
  readonly value: string
}

const anyMap = z.record(z.string(), z.unknown())

/** Whether a stack's configuration or the inventory that it names does. */
export function isWished({ key, value }: Wish, folder: string = repository): boolean {
  const stacks = list(join(folder, 'stacks')).filter((file) => /^Pulumi\..+\.yaml$/.test(file))
  return stacks.some((file) => {
    const config = configOf(read(join(folder, 'stacks', file)))
    const ofLab = config[`overlab:${key}`]
    if (ofLab === value) return true
    const named = config['overlab:inventory']
    const inventory = typeof named === 'string' ? named : 'inventory/lab.yaml'
    const text = read(isAbsolute(inventory) ? inventory : join(folder, inventory))
    return says({ key, value }, ofLab === undefined ? text : withoutLab(text))
  })
}

/**
 * Whether any line of an inventory does, of the lab, a group or a host. Read as text: set-up looks at every start, and
 * an inventory with mistakes is for `pulumi up` to speak of.
 */
export function says({ key, value }: Wish, inventory: string): boolean {
  const wish = new RegExp(`(^|[\\s{,])["']?${key}["']?\\s*:\\s*["']?${value}\\b`)
  return inventory.split('\n').some((line) => wish.test(line.replace(/(^|\s)#.*/, '')))
}

/** The inventory but for its lab block, whose value the stack's configuration replaces. */
function withoutLab(inventory: string): string {
  try {
    const { lab: _, ...rest } = anyMap.parse(parse(inventory))
    return stringify(rest)
  } catch {
    return inventory
  }
}

function configOf(text: string): Record<string, unknown> {
  try {
    return z.object({ config: anyMap }).parse(parse(text)).config
  } catch {
    return {}
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
