/** The labs that the machine tests build. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Cidr, Ip, Mac, Name } from '../../../inventory/values.ts'
import type { MachineSpec, UnderlaySpec } from '../../../machines/machine.ts'

const run = promisify(execFile)

export interface TestLab {
  readonly underlay: UnderlaySpec
  readonly machines: readonly MachineSpec[]
}

/** A lab of `count` machines node1, node2, ... in `NET.0/24`. */
export function testLab(lab: string, net: string, count: number): TestLab {
  const cidr = `${net}.0/24` as Cidr
  return {
    underlay: { lab: lab as Name, cidr, mtu: 1500, owner: `test ${process.pid}` },
    machines: Array.from({ length: count }, (_, index) => ({
      lab: lab as Name,
      name: `node${index + 1}` as Name,
      address: `${net}.${index + 1}` as Ip,
      underlay: cidr,
      mtu: 1500,
      mac: `02:00:00:00:00:0${index + 1}` as Mac,
    })),
  }
}

/** Runs a command on a machine as a person would: ssh with the lab's own ssh_config. Standard output, trimmed. */
export async function ssh(lab: string, host: string, command: string): Promise<string> {
  const { stdout } = await run('ssh', [
    '-F',
    `/run/overlab/${lab}/ssh_config`,
    '-o',
    'ConnectTimeout=10',
    host,
    command,
  ])
  return stdout.trim()
}
