/** An Inventory as a file again: every value in so many words, so that no default and no counting is left. Pure. */
import { resolve } from 'node:path'
import { stringify } from 'yaml'
import { impairmentsAsWritten } from './impairments.ts'
import type { Act, Host, Inventory } from './inventory.ts'
import type { EnvironmentValue } from './references.ts'
import { sshVariables } from './ssh.ts'

/** YAML that loads to the same hosts and the same lab; groups are not kept, their variables stand at the hosts. */
export function inventoryText({ lab, hosts }: Inventory): string {
  const { name, underlay, mtu, overlay } = lab
  return stringify(
    {
      lab: { name, underlay, mtu, overlay },
      all: { hosts: Object.fromEntries(hosts.map((host) => [host.name, hostVars(host)])) },
    },
    // An inventory has no aliases; what a group said of many hosts is one object here.
    { aliasDuplicateObjects: false },
  )
}

function hostVars(host: Host): object {
  const { machine, control, number, address, subnet, vtepMac, iptables, nic, ssh, pods, bootstrap, vars } =
    host
  // The address stands for it.
  const { ansible_host: _, ...own } = vars
  return {
    ...own,
    machine,
    ...host.qemu,
    control,
    ...(host.datapath && { datapath: host.datapath }),
    ...(machine !== 'namespace' && control === 'static' && !host.persist && { persist: false }),
    number,
    address,
    subnet,
    ...(vtepMac && { vtep_mac: vtepMac }),
    iptables,
    ...(host.impairments && { impairments: impairmentsAsWritten(host.impairments) }),
    ...(nic && { nic }),
    ...(ssh && sshVariables(ssh)),
    pods: Object.fromEntries(pods.map((pod) => [pod.name, { address: pod.address }])),
    ...(bootstrap.length > 0 && { bootstrap: bootstrap.map(act) }),
  }
}

function act(one: Act): object {
  // It may be read from a file in another folder.
  if ('copy' in one) return { ...one, copy: resolve(one.copy) }
  const { command, environment, ...rest } = one
  const values = Object.entries(environment).map(([key, value]) => [key, fromAnywhere(value)] as const)
  return { ...rest, environment: Object.fromEntries(values), run: command }
}

function fromAnywhere(value: EnvironmentValue): EnvironmentValue {
  if (typeof value === 'string' || 'from_env' in value || value.from_file.startsWith('~/')) return value
  return { from_file: resolve(value.from_file) }
}
