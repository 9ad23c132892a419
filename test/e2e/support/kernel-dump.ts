/** All that a machine's kernel holds, as lines that do not change by themselves. */
import type { TestLab } from './lab.ts'

const script = `
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
for map in /run/overlab-bpf/*; do show "$map" bpftool map dump pinned $map; done
for key in net/ipv4/ip_forward net/ipv6/conf/flannel.1/accept_ra; do show sysctl cat /proc/sys/$key; done
for pod in $(ls /run/netns); do ip netns exec $pod sh -s <<POD
$(declare -f network show)
network $pod
POD
done
`

export async function dump(lab: Pick<TestLab, 'on'>, host: string): Promise<string[]> {
  const printed = await lab.on(host, `exec bash <<'DUMP'\n${script}\nDUMP`)
  return printed
    .split('\n')
    .map((line) => `${host} ${line}`)
    .sort()
}

/** Of all hosts in one list, to be compared by `difference` of `../fingerprint.ts`. */
export async function dumpAll(lab: Pick<TestLab, 'on'>, hosts: readonly string[]): Promise<string[]> {
  return (await Promise.all(hosts.map((host) => dump(lab, host)))).flat()
}
