/** What an inventory file becomes: checked, complete (every default filled in), in the file's order. */
import type { Duration, Rate, Share } from './quantities.ts'
import type { EnvironmentValue } from './references.ts'
import type { Cidr, IfName, Ip, Mac, Name } from './values.ts'

export interface Inventory {
  /** The file it was read from, as the user named it. */
  readonly file: string
  readonly lab: Lab
  readonly hosts: readonly Host[]
  /** Every group, `all` included, with the names of all hosts in it or below it. */
  readonly groups: Readonly<Record<string, readonly Name[]>>
  /** Every group's direct children; a loaded inventory always has it. */
  readonly children?: Readonly<Record<string, readonly string[]>>
}

export interface Lab {
  readonly name: Name
  /** The network that joins the machines; its last usable address is the controller's. */
  readonly underlay: Cidr
  /** MTU of the machines' NIC, 1500 unless told. */
  readonly mtu: number
  readonly overlay: NetConf
}

/** flannel's net-conf.json, key for key, with its defaults filled in. */
export interface NetConf {
  readonly Network: Cidr
  readonly SubnetLen: number
  readonly SubnetMin: Ip
  readonly SubnetMax: Ip
  readonly Backend: Backend
}

export type Backend =
  | {
      readonly Type: 'vxlan'
      readonly VNI: number
      readonly Port: number
      readonly MTU?: number
      readonly DirectRouting: boolean
    }
  | { readonly Type: 'host-gw' }
  | { readonly Type: 'udp'; readonly Port: number }

export type BackendType = Backend['Type']
export const backendTypes = ['vxlan', 'host-gw', 'udp'] as const satisfies readonly BackendType[]

/** Who fills a host's kernel: overlab alone, from the inventory; or flanneld, as on a cluster, from etcd. */
export const controls = ['static', 'flanneld'] as const
export type Control = (typeof controls)[number]

/** Where a machine comes from; `machines/` has a driver for each. */
export const machineKinds = ['namespace', 'qemu', 'ssh'] as const
export type MachineKind = (typeof machineKinds)[number]

/** What in a host's kernel does udp's work under static control: `auto` = what suits the kind of machine and its kernel. */
export const datapaths = ['auto', 'fou', 'bpf'] as const
export type Datapath = (typeof datapaths)[number]

/** Of a machine of the kind qemu. */
export interface QemuSettings {
  readonly vcpus: number
  /** MiB. */
  readonly memory: number
  /** GiB; as large as the image unless told. */
  readonly disk?: number | undefined
  /** Absolute path of a disk image that boots by itself; a Debian that overlab makes unless told. */
  readonly image?: string | undefined
}

export interface Host {
  readonly name: Name
  /** Its groups in the order in which their variables count, the strongest last; `all` left out. */
  readonly groups: readonly string[]
  readonly machine: MachineKind
  /** Where its machine is of the kind qemu. */
  readonly qemu?: QemuSettings
  readonly control: Control
  /** Its place in the underlay and in the overlay; from the name's trailing number unless told. */
  readonly number: number
  /** Its underlay address; the backend's outer address. */
  readonly address: Ip
  /** The pods' subnet, `SubnetLen` long. */
  readonly subnet: Cidr
  /** flannel.VNI's address where the file gives one; else derived from the host's name. */
  readonly vtepMac?: Mac
  /** The iptables variant this host's tools use; `auto` = what `iptables -V` says. */
  readonly iptables: 'auto' | 'nft' | 'legacy'
  /** Of the backend udp; `auto` unless told. */
  readonly datapath?: Exclude<Datapath, 'auto'>
  /** It restores its data plane at boot, by itself; of VMs and hosts that exist, unless the file says no. */
  readonly persist?: true
  /** What its packets to the other hosts suffer, where the file says so. */
  readonly impairments?: Impairments
  /** The NIC that carries the underlay where the file names it; else the one that has `address`. */
  readonly nic?: IfName
  /** What that NIC reaches without a router; known of an existing host that somebody has looked at, and no file has it. */
  readonly onLink?: readonly Cidr[]
  /** How a host that exists (`machine: ssh`) is reached; only such a one has it. */
  readonly ssh?: SshAccess
  readonly pods: readonly Pod[]
  readonly bootstrap: readonly Act[]
  /** Variables that overlab does not use but the file may carry: the user's own (`x_...`) and Ansible's (`ansible_...`). */
  readonly vars: Readonly<Record<string, unknown>>
}

/** What packets suffer on the way out of a host; nothing at all = none. */
export interface Impairment {
  readonly rate?: Rate | undefined
  readonly delay?: Duration | undefined
  /** By how much the delay is longer or shorter. */
  readonly jitter?: Duration | undefined
  readonly loss?: Share | undefined
}

export interface Impairments {
  /** Of the packets to all peers that `toward` does not name; one rate for them together. */
  readonly all: Impairment
  /** Instead of `all`, by the peer's name. */
  readonly toward: Readonly<Record<Name, Impairment>>
}

/** Paths are absolute, or begin with `~/`, the home of whoever connects. */
export interface SshLogin {
  readonly host: string
  readonly port: number
  readonly user: string
  /** Path of the private key, or `agent`; undefined where the file says nothing. */
  readonly key?: string
  /** The pinned host key, `ssh-ed25519 AAAA...`; else it must stand in `knownHosts`. */
  readonly hostKey?: string
  readonly knownHosts: string
}

export interface SshAccess extends SshLogin {
  readonly jump?: SshLogin
  /** Work as root through sudo. */
  readonly become: boolean
  /** Seconds after which the host undoes a change that was not confirmed; 0 = never. */
  readonly confirm: number
}

export interface Pod {
  readonly name: Name
  readonly address: Ip
}

/** A one-shot act of `bootstrap:`, run by @pulumi/command after the machine is there and before the overlay. */
export type Act =
  | {
      readonly name: Name
      readonly command: string
      readonly delete?: string
      readonly triggers: readonly string[]
      readonly environment: Readonly<Record<string, EnvironmentValue>>
    }
  | { readonly name: Name; readonly copy: string; readonly to: string; readonly triggers: readonly string[] }
