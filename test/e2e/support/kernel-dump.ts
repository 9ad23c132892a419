/** All that the machines' kernels hold, read as a person would, by ssh. */
import { dumpScript, linesOfDump } from '../../../experiments/kernel-dump.ts'
import type { TestLab } from './lab.ts'

export async function dump(lab: Pick<TestLab, 'on'>, host: string): Promise<string[]> {
  return linesOfDump(await lab.on(host, dumpScript)).map((line) => `${host} ${line}`)
}

/** Of all hosts in one list, to be compared by `difference` of `../fingerprint.ts`. */
export async function dumpAll(lab: Pick<TestLab, 'on'>, hosts: readonly string[]): Promise<string[]> {
  return (await Promise.all(hosts.map((host) => dump(lab, host)))).flat()
}
