/** Faults of links: the backend's device and the NIC go down and come up again. */
import type { PlannedHost } from '../../overlay/plan.ts'
import type { Fault } from './fault.ts'
import { machineOf, rolesOf } from './lab.ts'

/** How long a link is down, in seconds. */
const down = 1

const bounce = (device: string) => `ip link set ${device} down\nsleep ${down}\nip link set ${device} up`

/** The backend's device: the one with the first address of the host's subnet. */
function deviceOf({ state }: PlannedHost): string | undefined {
  return Object.keys(state.addresses ?? {})
    .map((key) => / dev (flannel\S*)$/.exec(key)?.[1])
    .find(Boolean)
}

export const linkFaults: readonly Fault[] = [
  {
    id: 'overlay-down',
    title: "the backend's device down and up",
    what: `ip link set down, and up after ${down} s, of flannel.1 (vxlan) or flannel0 (udp) on the last host.`,
    lesson:
      'When a link goes down the kernel takes away the routes over it and its neighbours, permanent or not; its address and FDB stay. Nobody is told when it comes up again.',
    notApplicable: ({ variant: { backend }, plan }) =>
      deviceOf(rolesOf(plan).victim) !== undefined
        ? undefined
        : backend === 'host-gw'
          ? 'host-gw has no device of its own'
          : 'overlab does udp without a device here: by BPF programs on the route and on the NIC',
    strike: { on: ({ victim }) => [victim], script: (host) => bounce(deviceOf(host)!) },
  },
  {
    id: 'nic-down',
    title: 'the NIC down and up',
    what: `ip link set eth0 down, and up after ${down} s, on the last host.`,
    lesson:
      "Routes over the NIC go with it. vxlan's are over flannel.1, so they stay, and only the packets of that second are lost. host-gw's go: flanneld looks every 10 seconds and writes them again, a static lab needs pulumi up. With udp, flanneld's route is over its TUN device and stays; overlab's is over the NIC and goes.",
    notApplicable: (lab) =>
      machineOf(lab) === 'ssh'
        ? 'the way to that host may need the route that goes with its NIC; only machines that overlab made are struck so'
        : undefined,
    strike: {
      on: ({ victim }) => [victim],
      script: ({ nic }) => bounce(nic),
      // What others put there: the default route, and a person's own entries.
      keep: ({ nic }) =>
        `ip -4 route show dev ${nic} | grep -v 'proto kernel' | sed 's/^/route replace /; s/ linkdown//; s/$/ dev ${nic}/'
ip -4 neigh show dev ${nic} nud permanent | sed 's/ PERMANENT//; s/^/neigh replace /; s/$/ dev ${nic} nud permanent/'`,
      putBack: 'grep -v -e "proto 79" -e encap -e "^$" | ip -batch - ',
    },
  },
]
