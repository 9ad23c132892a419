/** An inventory as `ansible-inventory` would show it. */
import { impairmentsAsWritten } from './impairments.ts'
import type { Host, Inventory } from './inventory.ts'
import { sshVariables } from './ssh.ts'

export interface GroupView {
  readonly name: string
  readonly children: readonly GroupView[]
  /** The hosts that are in this group and in none below it. */
  readonly hosts: readonly string[]
}

/** The tree of groups from `all` down, as `ansible-inventory --graph` draws it. A group below two others is in both. */
export function listInventory(inventory: Inventory): GroupView {
  return viewOf('all', inventory)
}

function viewOf(name: string, inventory: Inventory): GroupView {
  const children = own(inventory.children, name) ?? []
  const below = new Set(children.flatMap((child) => own(inventory.groups, child) ?? []))
  return {
    name,
    children: children.map((child) => viewOf(child, inventory)),
    hosts: (own(inventory.groups, name) ?? []).filter((host) => !below.has(host)),
  }
}

/**
 * One host's variables with every default filled in, by the names that an inventory file uses, and Ansible's
 * `ansible_host` and `group_names` beside them; undefined if there is no such host.
 */
export function hostVars(inventory: Inventory, name: string): Record<string, unknown> | undefined {
  const host = inventory.hosts.find((one) => one.name === name)
  return host && variablesOf(host)
}

function variablesOf(host: Host): Record<string, unknown> {
  return {
    ...host.vars,
    ansible_host: host.ssh?.host ?? host.address,
    machine: host.machine,
    ...host.qemu,
    control: host.control,
    datapath: host.datapath ?? 'auto',
    ...(host.persist && { persist: true }),
    number: host.number,
    address: host.address,
    subnet: host.subnet,
    ...(host.vtepMac !== undefined && { vtep_mac: host.vtepMac }),
    iptables: host.iptables,
    ...(host.impairments && { impairments: impairmentsAsWritten(host.impairments) }),
    ...(host.nic !== undefined && { nic: host.nic }),
    ...(host.ssh && sshVariables(host.ssh)),
    pods: Object.fromEntries(host.pods.map(({ name, address }) => [name, { address }])),
    ...(host.bootstrap.length > 0 && { bootstrap: host.bootstrap }),
    group_names: host.groups.toSorted(),
  }
}

function own<T>(table: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return table && Object.hasOwn(table, key) ? table[key] : undefined
}
