/** Ansible's tree of groups: who is in which, and which value of a variable a host ends up with. */
import { shown, type Path, type Report } from './mistakes.ts'
import { expandRanges } from './ranges.ts'
import { ansibleNames, mostHosts } from './schema.ts'
import { suggestion } from './suggest.ts'
import { name as nameSchema } from './values.ts'
import type { Name } from './values.ts'

/** A value and where the file gives it. */
export interface Variable {
  readonly value: unknown
  readonly path: Path
}

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
  readGroup('all', all, ['all'], nodes, hostNodes, report)
  if (hostNodes.size > mostHosts) {
    const what = `the inventory has ${hostNodes.size} hosts, and a lab has at most ${mostHosts}`
    report({ path: ['all'], atKey: true, what, todo: 'remove some' })
    return { hosts: [], groups: new Map(), children: new Map() }
  }
  reportNames(nodes, hostNodes, report)
  cutCycles(nodes, report)

  const members = membersOf(nodes)
  const order = precedence(nodes)
  const hosts = [...hostNodes].map(([name, node]): GroupedHost => {
    const groups = order.filter((group) => members.get(group)?.has(name))
    const layers = [...groups.map((group) => nodes.get(group)), node].filter((layer) => layer !== undefined)
    return {
      name: name as Name,
      path: node.path,
      groups,
      variables: new Map(layers.flatMap((layer) => [...layer.variables])),
      bootstraps: layers.flatMap((layer) => layer.bootstraps),
    }
  })
  const namesIn = (group: string) =>
    hosts.map(({ name }) => name).filter((name) => members.get(group)?.has(name))
  return {
    hosts,
    groups: new Map(order.map((group) => [group, namesIn(group)])),
    children: new Map(order.map((group) => [group, [...(nodes.get(group)?.children.keys() ?? [])]])),
  }
}

function readGroup(
  name: string,
  body: unknown,
  path: Path,
  nodes: Map<string, Node>,
  hostNodes: Map<string, HostNode>,
  report: Report,
): void {
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
  setVariables(group, body['vars'], [...path, 'vars'], report)
  for (const [pattern, variables] of entries(body['hosts'])) {
    const at = [...path, 'hosts', pattern]
    for (const host of hostNames(pattern, at, report)) {
      const node = hostNodes.get(host) ?? { path: at, variables: new Map(), bootstraps: [] }
      hostNodes.set(host, node)
      group.hosts.add(host)
      setVariables(node, variables, at, report)
    }
  }
  for (const [child, inner] of entries(body['children'])) {
    const at = [...path, 'children', child]
    if (!group.children.has(child)) group.children.set(child, at)
    readGroup(child, inner, at, nodes, hostNodes, report)
  }
}

function setVariables(node: HostNode, body: unknown, path: Path, report: Report): void {
  for (const [ansibles, own] of Object.entries(ansibleNames)) {
    if (isMap(body) && own in body && ansibles in body && body[own] !== body[ansibles])
      report({
        path: [...path, ansibles],
        what: `differs from ${own}, which is the same variable`,
        todo: 'keep one of the two',
      })
  }
  for (const [key, value] of entries(body)) {
    const variable = { value, path: [...path, key] }
    if (key === 'bootstrap') node.bootstraps.push(variable)
    else {
      node.variables.set(key, variable)
      if (ansibleNames[key]) node.variables.set(ansibleNames[key], variable)
    }
  }
}

function hostNames(pattern: string, path: Path, report: Report): string[] {
  const expansion = expandRanges(pattern)
  if ('what' in expansion) {
    report({ path, atKey: true, what: expansion.what, todo: expansion.todo })
    return []
  }
  const wrong = expansion.names.find((host) => !nameSchema.safeParse(host).success)
  if (wrong !== undefined) {
    const todo = 'use lower-case letters, digits and inner dashes, at most 63, with a letter'
    report({ path, atKey: true, what: `${shown(wrong)} is not a host name`, todo })
    return []
  }
  return [...expansion.names]
}

function reportNames(
  nodes: ReadonlyMap<string, Node>,
  hosts: ReadonlyMap<string, HostNode>,
  report: Report,
): void {
  const written = [...nodes].filter(([, node]) => node.written).map(([name]) => name)
  for (const [name, node] of nodes) {
    if (!node.written && name !== 'all') {
      const others = written.filter((other) => other !== 'all')
      const hint = suggestion(name, others)
      const todo = `${hint.startsWith('did') ? hint : 'give it hosts:'} (an empty group is ${name}: {})`
      report({ path: node.path, atKey: true, what: `no group ${name} is written out anywhere`, todo })
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

/** Reports every edge that closes a circle, and removes it, so that all else can still be checked. */
function cutCycles(nodes: ReadonlyMap<string, Node>, report: Report): void {
  const done = new Set<string>()
  const visit = (name: string, above: readonly string[]): void => {
    const node = nodes.get(name)
    if (!node || done.has(name)) return
    const trail = [...above, name]
    for (const [child, path] of [...node.children]) {
      if (!trail.includes(child)) {
        visit(child, trail)
        continue
      }
      node.children.delete(child)
      const circle = [...trail.slice(trail.indexOf(child)), child].join(' > ')
      report({
        path,
        atKey: true,
        what: `the group is below itself: ${circle}`,
        todo: 'remove one of these steps',
      })
    }
    done.add(name)
  }
  visit('all', [])
}

/** Group -> the names of the hosts in it or below it. */
function membersOf(nodes: ReadonlyMap<string, Node>): Map<string, Set<string>> {
  const members = new Map<string, Set<string>>()
  const collect = (name: string): Set<string> => {
    const known = members.get(name)
    if (known) return known
    const node = nodes.get(name)
    const found = new Set(node?.hosts)
    members.set(name, found)
    for (const child of node?.children.keys() ?? []) for (const host of collect(child)) found.add(host)
    return found
  }
  for (const name of nodes.keys()) collect(name)
  return members
}

/**
 * The groups in the order in which their variables are laid over each other, the strongest last: by depth
 * (the longest way from `all`), then `ansible_group_priority`, then name. Ansible's `sort_groups`.
 */
function precedence(nodes: ReadonlyMap<string, Node>): string[] {
  const depths = new Map<string, number>([['all', 0]])
  // The longest way settles after at most one round for each level.
  for (let changed = true; changed;) {
    changed = false
    for (const [name, node] of nodes) {
      const depth = depths.get(name)
      if (depth === undefined) continue
      for (const child of node.children.keys()) {
        if ((depths.get(child) ?? 0) > depth) continue
        depths.set(child, depth + 1)
        changed = true
      }
    }
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
