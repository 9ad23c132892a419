/** Does a lab of this project run flanneld? */
import { readdirSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { parse } from 'yaml'
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
    if (config['overlab:control'] === 'flanneld') return true
    const named = config['overlab:inventory']
    const inventory = typeof named === 'string' ? named : 'inventory/lab.yaml'
    return saysFlanneld(read(isAbsolute(inventory) ? inventory : join(folder, inventory)))
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
