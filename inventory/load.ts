/** From an inventory file to an Inventory, or to everything that is wrong with it. */
import { existsSync, readFileSync } from 'node:fs'
import { actsReader } from './bootstrap.ts'
import { parseYaml } from './document.ts'
import type { Position, YamlText } from './document.ts'
import { pathBeside, type Exists } from './files.ts'
import { harmless } from './harmless.ts'
import { groupHosts } from './groups.ts'
import type { Grouped } from './groups.ts'
import { placeHosts } from './hosts.ts'
import { impairmentsOf } from './impairments.ts'
import { iniProblem } from './ini.ts'
import type { PlacedHost } from './hosts.ts'
import type { Host, Impairments, Inventory, Lab, Pod } from './inventory.ts'
import { toCidr, toIp } from './ipv4.ts'
import { completeLab } from './lab.ts'
import type { KnownLab } from './lab.ts'
import { InventoryErrors, mistakeText, mostShown, pathText, shown } from './mistakes.ts'
import type { Mistake, Path, PlacedMistake } from './mistakes.ts'
import { override, replacedValues } from './overrides.ts'
import type { LabOverrides, Overridden } from './overrides.ts'
import { placePods } from './pods.ts'
import type { Sources } from './references.ts'
import { sshAccess } from './ssh.ts'
import { checkStructure, hasStrayGroups, valueAt } from './structure.ts'

export { InventoryErrors } from './mistakes.ts'
export type { LabOverrides } from './overrides.ts'

export interface LoadOptions {
  /** What the stack's configuration changes in the lab block. */
  readonly overrides?: LabOverrides
  /** The program gives the addresses of hosts that exist (`hosts` of Lab); one without gets a stand-in by its number. */
  readonly standIns?: boolean
  /** Given by who makes the lab: what its acts refer to (`from_env`, `from_file`) must be there. */
  readonly sources?: Sources
}

/**
 * Reads, completes and checks an inventory.
 * @throws InventoryErrors with every mistake of the file and of the overrides; also where it cannot be read.
 */
export function loadInventory(file: string, options: LoadOptions = {}): Inventory {
  refuseVariableFolders(file)
  const { overrides, standIns, sources } = options
  return parseInventory(readText(file), file, overrides, existsSync, standIns, sources)
}

/**
 * The same for a text at hand. Pure: `file` only stands in errors and is what sources of `bootstrap` are relative
 * to; without `exists` every source is taken to be there.
 * @throws InventoryErrors
 */
export function parseInventory(
  text: string,
  file: string,
  overrides: LabOverrides = {},
  exists: Exists = () => true,
  standIns = false,
  sources?: Sources,
): Inventory {
  const ini = iniProblem(text)
  if (ini) throw errorsOf({ ...parseYaml(''), problems: [ini] }, [], file, undefined)
  const yaml = parseYaml(text)
  const mistakes: Mistake[] = []
  const top = yaml.value
  const stray = hasStrayGroups(top)
  const report = (mistake: Mistake) => {
    // That all is missing, or has no host, follows from where its groups are.
    if (!(stray && mistake.path.length === 1 && mistake.path[0] === 'all')) mistakes.push(mistake)
  }
  if (top === undefined) throw errorsOf(yaml, [], file, undefined)

  const overridden = override(valueAt(top, ['lab']), overrides)
  const isMap = typeof top === 'object' && top !== null && !Array.isArray(top)
  const whole = isMap ? { ...top, ...(overridden.lab !== undefined && { lab: overridden.lab }) } : top
  checkStructure(whole, report)
  // A mistake in what the configuration lays itself over, such as an unknown key, must not be dropped silently.
  if (isMap && valueAt(top, ['lab']) && overridden.lab !== valueAt(top, ['lab'])) {
    checkStructure(top, (mistake) => overridden.origin(mistake.path) ?? report(mistake))
  }

  if (isMap) {
    const lab = completeLab(overridden.lab, report)
    const grouped = groupHosts(valueAt(top, ['all']), report)
    // A tree that yields no host because of a mistake in it is not also told that it has none.
    const hosts =
      grouped.hosts.length === 0 && mistakes.some(({ path }) => path[0] === 'all')
        ? []
        : placeHosts(grouped.hosts, lab, { file, exists }, report, standIns)
    const pods = placePods(hosts, report)
    const actsOf = actsReader({ file, exists, sources }, report)
    const acts = new Map(grouped.hosts.map((host) => [host.name, actsOf(host)]))
    const impairments = impairmentsOf(grouped, lab.mtu, report)
    if (mistakes.length === 0 && yaml.problems.length === 0) {
      return {
        file,
        lab: complete(lab),
        hosts: hosts.map((host) => completeHost(host, pods, acts, impairments.get(host.host.name), file)),
        ...groupTables(grouped),
      }
    }
  }
  throw errorsOf(yaml, mistakes, file, overridden)
}

/** Ansible reads them without a word in the inventory; without them a host would be reached as another user. */
function refuseVariableFolders(file: string): void {
  const wrong = (['group_vars', 'host_vars'] as const).flatMap((name) => {
    const folder = pathBeside(file, name)
    if (!existsSync(folder)) return []
    const where = name === 'group_vars' ? 'vars: of the groups' : "the hosts' own keys"
    const what = 'overlab does not read this folder, which Ansible reads with every inventory next to it'
    const todo = `move its variables into ${where} in ${file}, then the folder away, or the inventory into a folder of its own`
    return [withPlace({ path: [], what, todo }, folder, 0, 0)]
  })
  if (wrong.length > 0) throw new InventoryErrors(wrong)
}

/**
 * What a stack's configuration replaces in an inventory's lab block: one line a value, with both places.
 * @param config the configuration's file as a user names it, and its text
 * @param shownAs the inventory's, likewise
 * @throws InventoryErrors where the inventory cannot be read
 */
export function overrideNotes(
  file: string,
  overrides: LabOverrides,
  config: { readonly file: string; readonly text: string },
  shownAs = file,
): string[] {
  if (Object.keys(overrides).length === 0) return []
  const yaml = parseYaml(readText(file))
  const lab = valueAt(yaml.value, ['lab'])
  const settings = parseYaml(config.text)
  return replacedValues(lab, override(lab, overrides)).map(({ path, key, stated, used }) => {
    const name = `overlab:${key[0] ?? ''}`
    const setting = ['config', name]
    // It may also come from elsewhere, such as an environment of Pulumi's.
    const written = valueAt(settings.value, setting) !== undefined
    const from = written ? `${config.file}:${settings.locate(setting, true).line} ${name}` : `config ${name}`
    const { line, column } = yaml.locate(path)
    const verb = used === undefined ? 'removes' : `${shown(used)} replaces`
    return harmless(`${from}: ${verb} ${shown(stated)} (${shownAs}:${line}:${column} ${pathText(path)})`)
  })
}

function readText(file: string): string {
  const wrong = (what: string, todo: string) =>
    new InventoryErrors([withPlace({ path: [], what, todo }, file, 0, 0)])
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') throw wrong('there is no such file', 'check the path')
    if (code === 'EISDIR') throw wrong('is a folder', 'name the inventory file in it')
    if (code === 'EACCES') throw wrong('may not be read by this user', 'check its permissions')
    throw wrong(`cannot be read (${code ?? String(error)})`, 'check the file')
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw wrong('is not UTF-8 text', 'save it as UTF-8')
  }
}

/** A mistake and its place, its text not made yet. */
interface Located {
  readonly mistake: Mistake
  readonly path: Path
  readonly place: string
  readonly line: number
  readonly column: number
}

/** The first mistakes of the text with line and column, in the file's order; then those of the configuration. */
function errorsOf(
  yaml: YamlText,
  mistakes: readonly Mistake[],
  file: string,
  overridden: Overridden | undefined,
): InventoryErrors {
  const reported = explained(yaml)
  const all = [
    ...yaml.problems.map((mistake): Located => located(mistake, mistake.path, mistake)),
    ...mistakes
      .filter(({ path }) => !reported(path))
      .map((mistake): Located => {
        const key = overridden?.origin(mistake.path)
        if (key) return { mistake, path: key, place: 'config', line: Infinity, column: 0 }
        return located(mistake, mistake.path, yaml.locate(mistake.path, mistake.atKey))
      }),
  ].sort((a, b) => (a.line === b.line ? a.column - b.column : a.line < b.line ? -1 : 1))
  const lines = shorten(all)
  return new InventoryErrors(lines.slice(0, mostShown).map(withText), Math.max(lines.length - mostShown, 0))

  function located(mistake: Mistake, path: Path, { line, column }: Position): Located {
    return { mistake, path, place: `${file}:${line}:${column}`, line, column }
  }
}

/** A range of hosts can have one mistake a hundred times over. */
const mostAtOnePlace = 3

function shorten(all: readonly Located[]): Located[] {
  const places = new Map<string, Map<string, Located>>()
  for (const one of all) {
    const place = `${one.place} ${pathText(one.path)}`
    const same = places.get(place) ?? new Map<string, Located>()
    places.set(place, same)
    if (!same.has(one.mistake.what)) same.set(one.mistake.what, one)
  }
  return [...places.values()].flatMap((different) => {
    const same = [...different.values()]
    const first = same[0]
    const rest = same.length - mostAtOnePlace
    if (first === undefined || rest <= 1) return same
    const what = `${rest} more hosts have such mistakes here`
    const more = { path: first.path, what, todo: 'mend the ones above first' }
    return [...same.slice(0, mostAtOnePlace), { ...first, mistake: more }]
  })
}

/** What the YAML has wrong already is not also missing or of a wrong form. */
function explained({ problems }: YamlText): (path: Path) => boolean {
  const paths = new Set(problems.map(({ path }) => JSON.stringify(path)))
  paths.delete('[]')
  return (path) =>
    paths.size > 0 && path.some((_, index) => paths.has(JSON.stringify(path.slice(0, index + 1))))
}

function withText({ mistake, path, place, line, column }: Located): PlacedMistake {
  const { atKey, what, todo } = mistake
  const at = { path, ...(atKey !== undefined && { atKey }), what, todo }
  return withPlace(at, place, line === Infinity ? 0 : line, column)
}

function withPlace(mistake: Mistake, place: string, line: number, column: number): PlacedMistake {
  return { ...mistake, place, line, column, text: mistakeText(place, mistake) }
}

/** No mistake was found, so nothing is missing; if it is, that is a fault of ours. */
function sure<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`inventory: ${what} is missing although no mistake was reported`)
  return value
}

function complete(lab: KnownLab): Lab {
  const subnets = sure(lab.subnets, 'subnets')
  return {
    name: sure(lab.name, 'name'),
    underlay: toCidr(sure(lab.underlay, 'underlay')),
    mtu: sure(lab.mtu, 'mtu'),
    overlay: {
      Network: toCidr(sure(lab.network, 'Network')),
      SubnetLen: subnets.length,
      SubnetMin: toIp(subnets.min),
      SubnetMax: toIp(subnets.max),
      Backend: sure(lab.backend, 'Backend'),
    },
  }
}

function completeHost(
  placed: PlacedHost,
  pods: ReadonlyMap<string, Pod[]>,
  acts: ReadonlyMap<string, Host['bootstrap']>,
  impairments: Impairments | undefined,
  file: string,
): Host {
  const { name, groups } = placed.host
  const address = toIp(sure(placed.address, `${name}'s address`).value)
  return {
    name,
    groups: groups.filter((group) => group !== 'all'),
    machine: placed.machine,
    ...(placed.qemu && { qemu: placed.qemu }),
    control: placed.control,
    ...(placed.persist && { persist: true as const }),
    ...(placed.datapath !== 'auto' && { datapath: placed.datapath }),
    number: sure(placed.numbered, `${name}'s number`).number,
    address,
    subnet: toCidr(sure(placed.subnet, `${name}'s subnet`).value),
    ...(placed.vtepMac && { vtepMac: placed.vtepMac }),
    iptables: placed.iptables,
    ...(impairments && { impairments }),
    ...(placed.nic && { nic: placed.nic }),
    ...(placed.machine === 'ssh' && { ssh: sshAccess(placed.host, address, file) }),
    pods: sure(pods.get(name), `${name}'s pods`),
    bootstrap: sure(acts.get(name), `${name}'s acts`),
    vars: placed.vars,
  }
}

function groupTables({ groups, children }: Grouped): Pick<Inventory, 'groups' | 'children'> {
  return { groups: Object.fromEntries(groups), children: Object.fromEntries(children) }
}
