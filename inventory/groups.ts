/** Ansible's tree of groups: who is in which, and which value of a variable a host ends up with. */
import { withArguments } from './ansible.ts'
import { shown, type Path, type Report } from './mistakes.ts'
import { expandRanges } from './ranges.ts'
import type { Expansion } from './ranges.ts'
import { ansibleNames, mostHosts } from './schema.ts'
import { suggestion } from './suggest.ts'
import { hostName } from './values.ts'
import type { Name } from './values.ts'
import type { Variable } from './variable.ts'

export type { Variable } from './variable.ts'

/** Whether the file says it of this host itself, rather than of a group that it is in. */
export function isOfHost(variable: Variable, host: GroupedHost): boolean {
  return host.path.every((part, index) => part === variable.path[index])
}

/** A host as the file has it, its variables resolved. */
export interface GroupedHost {
  readonly name: Name
  /** Where it is first named: its own key, or its range's. */
  readonly path: Path
  /** Its groups, outermost first, `all` included. */
  readonly groups: readonly string[]
  readonly variables: ReadonlyMap<string, Variable>
  /** Every `bootstrap` that applies to it, outermost group first, its own last. */
  readonly bootstraps: readonly Variable[]
}

export interface Grouped {
  readonly hosts: readonly GroupedHost[]
  /** Every group, `all` included, with the names of all hosts in it or below it. */
  readonly groups: ReadonlyMap<string, readonly Name[]>
  /** Every group's direct children. */
  readonly children: ReadonlyMap<string, readonly string[]>
}

interface Node {
  readonly path: Path
  readonly variables: Map<string, Variable>
  readonly bootstraps: Variable[]
  /** Name -> where it is named as a child. */
  readonly children: Map<string, Path>
  readonly hosts: Set<string>
  /** Has a body somewhere, be it an empty map. */
  written: boolean
}

type HostNode = Pick<Node, 'path' | 'variables' | 'bootstraps'>

/** Pure. Takes what has the right form and leaves out the rest, which the schema has reported. */
export function groupHosts(all: unknown, report: Report): Grouped {
  const nodes = new Map<string, Node>()
  const hostNodes = new Map<string, HostNode>()
  readGroup('all', all, ['all'], { nodes, hostNodes, report, patterns: new Map() })
  if (hostNodes.size > mostHosts) {
    const what = `the inventory has more than ${mostHosts} hosts, the most that a lab can have`
    report({ path: ['all'], atKey: true, what, todo: 'remove some' })
    return { hosts: [], groups: new Map(), children: new Map() }
  }
  reportNames(nodes, hostNodes, report)
  const outermostFirst = cutCycles(nodes, report)
  const order = precedence(nodes, outermostFirst)
  const groupsOf = membership(nodes, order)

  const members = new Map<string, Name[]>(order.map((group) => [group, []]))
  const layers = new Map<readonly string[], Pick<HostNode, 'variables' | 'bootstraps'>>()
  const layerOf = (groups: readonly string[]) => {
    const known = layers.get(groups)
    if (known) return known
    const of = groups.flatMap((group) => nodes.get(group) ?? [])
    const layer = {
      variables: new Map(of.flatMap(({ variables }) => [...variables])),
      bootstraps: of.flatMap(({ bootstraps }) => bootstraps),
    }
    layers.set(groups, layer)
    return layer
  }
  const hosts = [...hostNodes].map(([name, node]): GroupedHost => {
    const groups = groupsOf(name)
    for (const group of groups) members.get(group)?.push(name as Name)
    const below = layerOf(groups)
    return {
      name: name as Name,
      path: node.path,
      groups,
      variables: withArguments(new Map([...below.variables, ...node.variables])),
      bootstraps: [...below.bootstraps, ...node.bootstraps],
    }
  })
  return {
    hosts,
    groups: members,
    children: new Map(order.map((group) => [group, [...(nodes.get(group)?.children.keys() ?? [])]])),
  }
}

/** What is gathered while the tree is read. */
interface Reading {
  readonly nodes: Map<string, Node>
  readonly hostNodes: Map<string, HostNode>
  readonly report: Report
  /** Names of the patterns that were read, since groups share them. */
  readonly patterns: Map<string, Expansion>
}

function readGroup(name: string, body: unknown, path: Path, reading: Reading): void {
  const { nodes, hostNodes, report } = reading
  const group = nodes.get(name) ?? {
    path,
    variables: new Map(),
    bootstraps: [],
    children: new Map(),
    hosts: new Set<string>(),
    written: false,
  }
  nodes.set(name, group)
  if (!isMap(body)) return
  group.written = true
  setVariables([group], body['vars'], [...path, 'vars'], report)
  for (const [pattern, variables] of entries(body['hosts'])) {
    // Reported once all is read; what it costs to read on has no bound.
    if (hostNodes.size > mostHosts) return
    const at = [...path, 'hosts', pattern]
    const named = hostNames(pattern, at, reading).map((host) => {
      const node = hostNodes.get(host) ?? { path: at, variables: new Map(), bootstraps: [] }
      hostNodes.set(host, node)
      group.hosts.add(host)
      return node
    })
    setVariables(named, variables, at, report)
  }
  for (const [child, inner] of entries(body['children'])) {
    const at = [...path, 'children', child]
    if (!group.children.has(child)) group.children.set(child, at)
    readGroup(child, inner, at, reading)
  }
}

/** All of them get the same objects, so that what they share is looked at once (`readVariable`). */
function setVariables(
  nodes: readonly Pick<HostNode, 'variables' | 'bootstraps'>[],
  body: unknown,
  path: Path,
  report: Report,
): void {
  const first = new Map<string, string>()
  for (const key of isMap(body) ? Object.keys(body) : []) {
    const own = Object.hasOwn(ansibleNames, key) ? (ansibleNames[key] ?? key) : key
    const other = first.get(own)
    if (other === undefined) first.set(own, key)
    else if (isMap(body) && body[other] !== body[key]) {
      const [ansibles, same] = other.startsWith('ansible_') ? [other, key] : [key, other]
      report({
        path: [...path, ansibles],
        what: `differs from ${same}, which is the same variable`,
        todo: 'keep one of the two',
      })
    }
  }
  for (const [key, value] of entries(body)) {
    const variable = { value, path: [...path, key] }
    for (const node of nodes) {
      if (key === 'bootstrap') node.bootstraps.push(variable)
      else {
        node.variables.set(key, variable)
        if (ansibleNames[key]) node.variables.set(ansibleNames[key], variable)
      }
    }
  }
}

function hostNames(pattern: string, path: Path, { patterns, report }: Reading): readonly string[] {
  const expansion = patterns.get(pattern) ?? namesOf(pattern)
  patterns.set(pattern, expansion)
  if ('names' in expansion) return expansion.names
  report({ path, atKey: true, what: expansion.what, todo: expansion.todo })
  return []
}

function namesOf(pattern: string): Expansion {
  const expansion = expandRanges(pattern)
  if ('what' in expansion) return expansion
  const wrong = expansion.names.find((host) => !hostName.safeParse(host).success)
  if (wrong === undefined) return expansion
  const todo =
    'use letters, digits and inner dashes, at most 63, with a letter (dots and underscores too where machine is ssh)'
  return { what: `${shown(wrong)} is not a host name`, todo }
}

function reportNames(
  nodes: ReadonlyMap<string, Node>,
  hosts: ReadonlyMap<string, HostNode>,
  report: Report,
): void {
  const written = [...nodes].filter(([name, node]) => node.written && name !== 'all').map(([name]) => name)
  for (const [name, node] of nodes) {
    if (!node.written && name !== 'all') {
      report({
        path: node.path,
        atKey: true,
        what: `no group ${name} is written out anywhere`,
        get todo() {
          const hint = suggestion(name, written)
          return `${hint.startsWith('did') ? hint : 'give it hosts:'} (an empty group is ${name}: {})`
        },
      })
    }
    const host = hosts.get(name)
    if (host) {
      const what = `${name} is the name of a host and of a group`
      report({ path: host.path, atKey: true, what, todo: 'rename one of them' })
    }
  }
  const local = hosts.get('localhost')
  if (local) {
    const what = 'localhost is the name that every machine has for itself'
    report({ path: local.path, atKey: true, what, todo: 'choose another name' })
  }
}

/** Of a circle's steps so many are named. */
const mostSteps = 10

/**
 * Reports every edge that closes a circle, and removes it, so that all else can still be checked. Without recursion,
 * since a chain of groups is as long as its file likes.
 * @returns the groups, each one before those below it
 */
function cutCycles(nodes: ReadonlyMap<string, Node>, report: Report): string[] {
  const done: string[] = []
  const seen = new Set<string>()
  const trail = new Map<string, Iterator<[string, Path]>>()
  const enter = (name: string) => {
    seen.add(name)
    trail.set(name, [...(nodes.get(name)?.children ?? [])].values())
  }
  const stack = ['all']
  enter('all')
  for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
    const step = trail.get(name)?.next()
    if (!step || step.done) {
      stack.pop()
      trail.delete(name)
      done.push(name)
      continue
    }
    const [child, path] = step.value
    if (!trail.has(child)) {
      if (seen.has(child)) continue
      stack.push(child)
      enter(child)
      continue
    }
    nodes.get(name)?.children.delete(child)
    const circle = [...stack.slice(stack.indexOf(child)), child]
    report({
      path,
      atKey: true,
      what: `the group is below itself: ${stepsText(circle)}`,
      todo: 'remove one of these steps',
    })
  }
  return done.toReversed()
}

function stepsText(circle: readonly string[]): string {
  const half = mostSteps / 2
  const shown = circle.length > mostSteps ? [...circle.slice(0, half), '...', ...circle.slice(-half)] : circle
  return shown.join(' > ')
}

/** Host -> the groups that it is in or below, in the given order; the same list for hosts of the same groups. */
function membership(
  nodes: ReadonlyMap<string, Node>,
  order: readonly string[],
): (host: string) => readonly string[] {
  const ranks = new Map(order.map((group, rank) => [group, rank]))
  const parents = new Map<string, string[]>(order.map((group) => [group, []]))
  const direct = new Map<string, string[]>()
  for (const [name, { children, hosts }] of nodes) {
    for (const child of children.keys()) parents.get(child)?.push(name)
    for (const host of hosts) {
      const groups = direct.get(host)
      if (groups) groups.push(name)
      else direct.set(host, [name])
    }
  }
  // Most hosts are in the same groups as their neighbour in the file.
  const known = new Map<string, readonly string[]>()
  return (host) => {
    const first = direct.get(host) ?? []
    const key = first.join(' ')
    const before = known.get(key)
    if (before) return before
    const found = new Set(first)
    for (const group of found) for (const parent of parents.get(group) ?? []) found.add(parent)
    const groups = [...found].sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0))
    known.set(key, groups)
    return groups
  }
}

/**
 * The groups in the order in which their variables are laid over each other, the strongest last: by depth
 * (the longest way from `all`), then `ansible_group_priority`, then name. Ansible's `sort_groups`.
 * @param outermostFirst each group before those below it
 */
function precedence(nodes: ReadonlyMap<string, Node>, outermostFirst: readonly string[]): string[] {
  const depths = new Map<string, number>([['all', 0]])
  for (const name of outermostFirst) {
    const below = (depths.get(name) ?? 0) + 1
    for (const child of nodes.get(name)?.children.keys() ?? [])
      depths.set(child, Math.max(depths.get(child) ?? 0, below))
  }
  const priority = (name: string): number => {
    const value = nodes.get(name)?.variables.get('ansible_group_priority')?.value
    return Number.isInteger(value) ? (value as number) : 1
  }
  return [...nodes.keys()].sort(
    (a, b) =>
      (depths.get(a) ?? 0) - (depths.get(b) ?? 0) ||
      priority(a) - priority(b) ||
      (a < b ? -1 : a > b ? 1 : 0),
  )
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function entries(value: unknown): [string, unknown][] {
  return isMap(value) ? Object.entries(value) : []
}
