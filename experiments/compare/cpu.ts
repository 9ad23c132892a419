/**
 * CPU time that was used between two looks: of flanneld by /proc/PID/stat, of the whole kernel by /proc/stat. Machines
 * of namespaces share one kernel: which end's packets a softirq worked on is not to be told, and what else runs on this
 * computer counts too. VMs have one each, which both count. Pure.
 */

/** One look, on one host. */
export interface CpuTimes {
  /** The same id at both ends: one kernel. */
  readonly boot: string
  /** Seconds since boot, all cores together. */
  readonly busy: number
  readonly softirq: number
  /** Seconds of flanneld on this host; undefined where none runs. */
  readonly flanneld?: number
}

export const cpuScript = `echo "ticks $(getconf CLK_TCK)"
echo "boot $(cat /proc/sys/kernel/random/boot_id)"
head -n 1 /proc/stat
read -r pid start 2>/dev/null </run/overlab-services/flanneld/pid && sed 's/^/flanneld /' /proc/$pid/stat 2>/dev/null
:
`

/** Undefined where the script printed something else. */
export function parseCpu(output: string): CpuTimes | undefined {
  const ticks = Number(/^ticks (\d+)$/m.exec(output)?.[1] ?? 0)
  const boot = /^boot (\S+)$/m.exec(output)?.[1]
  const cpu = /^cpu +(.+)$/m.exec(output)?.[1]?.split(' ').map(Number)
  if (!ticks || !boot || !cpu || cpu.length < 8) return undefined
  // proc(5): user nice system idle iowait irq softirq steal; guest times are in user and nice already.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = cpu
  // The command stands in brackets and may hold anything; utime and stime are fields 14 and 15, state is field 3.
  const fields = /^flanneld .*\) (.+)$/m.exec(output)?.[1]?.split(' ')
  return {
    boot,
    busy: (user + nice + system + irq + softirq) / ticks,
    softirq: softirq / ticks,
    ...(fields ? { flanneld: (Number(fields[11]) + Number(fields[12])) / ticks } : {}),
  }
}

export interface CpuPerGigabyte {
  /** None: of the whole machine. */
  readonly of?: string
  /** CPU seconds for 10^9 bytes that arrived. */
  readonly value: number
}

/** @param before,after one look at each end, sending and receiving */
export function cpuPerGigabyte(
  before: readonly [CpuTimes, CpuTimes],
  after: readonly [CpuTimes, CpuTimes],
  iperf3: { readonly sending: number; readonly receiving: number },
  bytes: number,
): CpuPerGigabyte[] {
  const gigabytes = bytes / 1e9
  const flanneld = (end: 0 | 1): number | undefined => {
    const [from, to] = [before[end].flanneld, after[end].flanneld]
    return from === undefined || to === undefined ? undefined : to - from
  }
  const ends = before[0].boot === before[1].boot ? ([0] as const) : ([0, 1] as const)
  const ofKernels = (key: 'busy' | 'softirq') =>
    ends.reduce<number>((sum, end) => sum + after[end][key] - before[end][key], 0)
  const times: readonly (readonly [string | undefined, number | undefined])[] = [
    [undefined, ofKernels('busy')],
    ['softirq', ofKernels('softirq')],
    ['iperf3 sending', iperf3.sending],
    ['iperf3 receiving', iperf3.receiving],
    ['flanneld sending', flanneld(0)],
    ['flanneld receiving', flanneld(1)],
  ]
  return times.flatMap(([of, seconds]) =>
    seconds === undefined ? [] : [{ ...(of && { of }), value: seconds / gigabytes }],
  )
}
