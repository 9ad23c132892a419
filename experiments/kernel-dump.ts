/** All that a machine's kernel holds for its packets, as lines that do not change by themselves: to be compared before and after. */
import type { Session } from '../remote/session.ts'
import { scriptOutput } from './script-output.ts'

/** Links, addresses, routes, permanent neighbours and FDB of host and pods; rules, iptables, filters, BPF maps, sysctls. */
export const dumpScript = `exec bash <<'DUMP'
export LC_ALL=C
show() { title=$1; shift; "$@" 2>/dev/null | sed "s|^|$title: |"; }
network() {
  show "$1 link" ip -o -d link | sed 's/ promiscuity.*//; s/ state [A-Z]* / /; s/,M-DOWN//'
  show "$1 address" ip -o -4 address
  show "$1 route" ip -4 route show table all
  show "$1 neighbour" ip neigh show nud permanent
  show "$1 fdb" bridge fdb show | grep -E ' (permanent|self)'
}
network host
show rule ip rule
show iptables iptables-save | grep -v '^iptables: #' | sed 's/\\[[0-9:]*\\]//'
show legacy iptables-legacy-save | grep -v '^legacy: #' | sed 's/\\[[0-9:]*\\]//'
show filter tc filter show dev eth0 ingress
for map in /run/overlab-bpf/overlab_config /run/overlab-bpf/overlab_peers; do show "$map" bpftool map dump pinned $map; done
for key in net/ipv4/ip_forward net/ipv6/conf/flannel.1/accept_ra; do show sysctl cat /proc/sys/$key; done
for pod in $(ls /run/netns); do ip netns exec $pod sh -s <<POD
$(declare -f network show)
network $pod
POD
done
DUMP`

/** One round trip; the lines are sorted. @throws HostError */
export async function dumpKernel(
  session: Pick<Session, 'target' | 'run'>,
  signal?: AbortSignal,
): Promise<string[]> {
  const step = 'read the kernel'
  return linesOfDump(await scriptOutput(session, dumpScript, { step, ...(signal ? { signal } : {}) }))
}

/** What a `dumpScript` printed, sorted. */
export function linesOfDump(output: string): string[] {
  return output.split('\n').filter(Boolean).sort()
}

/** What one list has and the other has not: `gone: LINE`, `new: LINE`. */
export function changedLines(before: readonly string[], after: readonly string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)]
  return [
    ...before.filter((line) => !now.has(line)).map((line) => `gone: ${line}`),
    ...after.filter((line) => !old.has(line)).map((line) => `new: ${line}`),
  ]
}
