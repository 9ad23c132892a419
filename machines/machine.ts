/** What every kind of machine offers; `drivers.ts` has them by name. */
import type { QemuSettings } from '../inventory/inventory.ts'
import type { Cidr, Ip, Mac, Name } from '../inventory/values.ts'
import type { Target } from '../remote/target.ts'

/** The network that joins a lab's machines, and the controller (where overlab runs) to them. */
export interface UnderlaySpec {
  readonly lab: Name
  readonly cidr: Cidr
  readonly mtu: number
  /** Who may change this lab: the stack and the folder of its project. Another owner is refused. */
  readonly owner: string
}

export interface Underlay {
  /** The controller's address in the underlay: its last usable one. */
  readonly controller: Ip
  /** Path of the private key that every machine of the lab accepts; made once, readable by its owner only. */
  readonly identityFile: string
}

export interface MachineSpec {
  readonly lab: Name
  readonly name: Name
  readonly address: Ip
  /** The underlay, for the prefix length and the default route (the controller). */
  readonly underlay: Cidr
  readonly mtu: number
  /** MAC of eth0. */
  readonly mac: Mac
  /** Of the kind qemu. */
  readonly qemu?: QemuSettings | undefined
}

/** What joins a lab's machines. Every call converges, as a Driver's do. */
export interface Network {
  createUnderlay(spec: UnderlaySpec): Promise<Underlay>
  /** Undefined where it is not (or not wholly) there. */
  readUnderlay(lab: Name): Promise<Underlay | undefined>
  /** Also ends and removes every machine that is still in it; nothing is left. */
  deleteUnderlay(lab: Name): Promise<void>
  /** Puts a file of the controller, executable and read-only, in sight of every machine of a lab; its path there. */
  share(lab: Name, file: string, source: string): Promise<string>
  /** The path on the machines; undefined where it is not there. */
  readShared(lab: Name, file: string): Promise<string | undefined>
  unshare(lab: Name, file: string): Promise<void>
}

/** A machine that was made, as this computer's own records have it. */
export interface MachineStatus {
  /** How it is reached when it runs. */
  readonly target: Target
  readonly running: boolean
}

/** Told what goes on meanwhile, in a few words that stand for themselves: `booting (TCG)`. */
export type Say = (what: string) => void

/** Every call converges: called again after success or after any interruption, it ends in the same state. */
export interface Driver {
  /** Starts a machine that is not running, on its old files if it has some, and returns when SSH answers with the pinned key. */
  boot(spec: MachineSpec, say?: Say): Promise<Target>
  /** Undefined where it does not run, has lost its NIC or hangs. */
  read(spec: MachineSpec): Promise<Target | undefined>
  /** The machines of this kind in a lab, running or not; empty where there are none. */
  list(lab: Name): Promise<MachineStatus[]>
  /** Kills it like a pulled plug; its files stay. */
  powerCut(lab: Name, name: Name): Promise<void>
  /** Ends it and removes its files. */
  remove(lab: Name, name: Name): Promise<void>
}
