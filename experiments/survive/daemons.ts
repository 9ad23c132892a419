/** Faults of the control plane: flanneld and etcd die. */
import { subnetKey } from '../../overlay/net-conf.ts'
import { underFlanneld, type Fault } from './fault.ts'

/** Shell functions on the processes that overlab started: `alive UNIT` sets pid; `signal UNIT SIGNAL`. A pid is used again, its start time (field 22 of /proc/PID/stat) is not. */
export const unitFunctions = `alive() {
  { read -r pid started <"/run/overlab-services/$1/pid"; } 2>/dev/null || return 1
  { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 1
  since "$started" \${stat##*) }
}
since() { [ "$2" != Z ] && [ "$2" != X ] && [ "$1" = "\${21}" ]; }
signal() { if alive "$1"; then kill -s "$2" "$pid"; fi; }`

function kill(units: readonly string[], signal: 'KILL' | 'TERM'): string {
  return [unitFunctions, ...units.map((unit) => `signal ${unit} ${signal}`)].join('\n')
}

export const daemonFaults: readonly Fault[] = [
  {
    id: 'kill-one',
    title: 'flanneld killed on one host',
    what: 'kill -9 of flanneld on the last host. Nothing starts it again.',
    lesson:
      "flanneld writes entries, the kernel carries the packets. Entries stay when their writer dies, so nothing is lost with vxlan and host-gw. With flannel's own udp every packet goes through the process; its TUN device and the route into it go with it. overlab does udp in the kernel, and there is no process to kill.",
    notApplicable: underFlanneld,
    strike: { on: ({ victim }) => [victim], script: () => kill(['flanneld'], 'KILL') },
  },
  {
    id: 'kill-all',
    title: 'flanneld killed on all hosts',
    what: 'kill -9 of flanneld on every host. etcd lives.',
    lesson:
      "The same on every host. Without any flanneld nobody would bring a new host's entries, or take an old one's away; the packets of the present hosts need neither.",
    notApplicable: underFlanneld,
    strike: { on: ({ controlled }) => controlled, script: () => kill(['flanneld'], 'KILL') },
  },
  {
    id: 'term-all',
    title: 'flanneld ended (SIGTERM) on all hosts',
    what: 'kill -TERM of flanneld on every host: it may clean up behind itself.',
    lesson:
      "flanneld leaves its entries behind on purpose, so that it can be updated without an outage. Only what belongs to the process itself goes, again udp's TUN device.",
    notApplicable: underFlanneld,
    strike: { on: ({ controlled }) => controlled, script: () => kill(['flanneld'], 'TERM') },
  },
  {
    id: 'kill-etcd',
    title: 'etcd killed',
    what: 'kill -9 of the only etcd. Every flanneld lives.',
    lesson:
      'etcd is asked when a host joins, leaves or renews its lease, never for a packet. Each flanneld goes on with what it knows, and tries to connect again.',
    notApplicable: underFlanneld,
    strike: { on: ({ etcd }) => (etcd ? [etcd] : []), script: () => kill(['etcd'], 'KILL') },
  },
  {
    id: 'kill-both',
    title: 'etcd and every flanneld killed',
    what: 'kill -9 of etcd and of flanneld on every host: no control plane is left.',
    lesson: "The sum of the two: what a packet needs is in the kernel, but for flannel's udp.",
    notApplicable: underFlanneld,
    strike: { on: ({ controlled }) => controlled, script: () => kill(['etcd', 'flanneld'], 'KILL') },
  },
  {
    id: 'lease-ends',
    title: "one host's subnet lease ends",
    what: "etcdctl lease revoke of the last host's subnet, as after 24 hours without its flanneld.",
    lesson:
      "The lease is flannel's way to forget a host that is gone. When it ends, every other flanneld takes its entries for that host away, and the host's own flanneld ends by itself, which for udp takes its device too. That happens 24 hours after a flanneld died, if nobody starts it again: the network survives the daemon, but not for ever. A static host has no lease.",
    notApplicable: (lab) => underFlanneld(lab) && 'a static host has no lease; its entries do not end',
    strike: {
      on: ({ etcd }) => (etcd ? [etcd] : []),
      script: (etcd, { plan }) => {
        const hosts = Object.values(plan.hosts).filter(({ control }) => control === 'flanneld')
        return `export ETCDCTL_API=3
etcdctl="etcdctl --endpoints=http://${etcd.address}:2379"
key=${subnetKey(hosts.at(-1)!.subnet)}
lease=$($etcdctl get "$key" -w json | sed -n 's/.*"lease":\\([0-9]*\\).*/\\1/p')
# A key that no flanneld has renewed yet is without one.
if [ -n "$lease" ]; then $etcdctl lease revoke "$(printf %x "$lease")"; else $etcdctl del "$key"; fi`
      },
    },
  },
]
