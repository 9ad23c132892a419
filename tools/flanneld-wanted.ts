/** Does a lab of this project run flanneld? */
import { readdirSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { repository } from './paths.ts'

/** `--flanneld` asks for it whatever the inventories say: the tests of it need it. */
export function flanneldWanted(
  folder: string = repository,
  words: readonly string[] = process.argv,
): boolean {
  if (words.includes('--flanneld')) return true
  const stacks = list(join(folder, 'stacks')).filter((file) => /^Pulumi\..+\.yaml$/.test(file))
  return stacks.some((file) => {
    const config = configOf(read(join(folder, 'stacks', file)))
    const control = config['overlab:control']
    if (control === 'flanneld') return true
    const named = config['overlab:inventory']
    const inventory = typeof named === 'string' ? named : 'inventory/lab.yaml'
    const text = read(isAbsolute(inventory) ? inventory : join(folder, inventory))
    return saysFlanneld(control === undefined ? text : withoutLab(text))
  })
}

/**
 * Whether any line of an inventory does, of the lab, a group or a host. Read as text: set-up looks at every start, and
 * an inventory with mistakes is for `pulumi up` to speak of.
 */
export function saysFlanneld(inventory: string): boolean {
  return inventory
    .split('\n')
    .some((line) => /(^|[\s{,])["']?control["']?\s*:\s*["']?flanneld\b/.test(line.replace(/(^|\s)#.*/, '')))
}

/** The inventory but for its lab block, whose `control` the stack's configuration replaces. */
function withoutLab(inventory: string): string {
  try {
    const { lab: _, ...rest } = parse(inventory) as Record<string, unknown>
    return stringify(rest)
  } catch {
    return inventory
  }
}

function configOf(text: string): Record<string, unknown> {
  try {
    return (parse(text) as { config?: Record<string, unknown> } | null)?.config ?? {}
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
