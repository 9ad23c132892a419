/** Faults of the kernel's entries: somebody flushes them. */
import { everywhere, type Fault } from './fault.ts'

const noNeighbours = 'no neighbour entry is written by it'

export const entryFaults: readonly Fault[] = [
  {
    id: 'flush-neighbours',
    title: 'ordinary neighbours flushed',
    what: 'ip neigh flush all, on every host: all that the kernel learnt by ARP. Permanent entries stay, that is how the command works.',
    lesson:
      "flannel's own neighbours are permanent, and `ip neigh flush all` passes those over. The others are the kernel's cache of the underlay and of pods: it asks again by ARP, and packets wait for the answer.",
    notApplicable: everywhere,
    strike: {
      on: ({ hosts }) => hosts,
      script: () => 'ip -s -4 neigh flush all 2>&1 || :',
      told: (outputs) => {
        const flushed = outputs
          .flatMap((output) => [...output.matchAll(/deleting (\d+) entries/g)])
          .reduce((sum, [, count]) => sum + Number(count), 0)
        return flushed > 0
          ? `${flushed} neighbours that the kernels had learnt were gone; they asked again by ARP`
          : 'no neighbour had been learnt'
      },
    },
  },
  {
    id: 'flush-permanent',
    title: 'permanent neighbours flushed',
    what: "ip neigh flush nud permanent on the backend's device of the last host: which MAC a peer's device has.",
    lesson:
      "A packet to a pod elsewhere is routed to the peer's address on flannel.1, and this entry says which MAC that is. No ARP goes over flannel.1, so nobody can be asked; flanneld writes it when the peer joins, and does not look at it again.",
    notApplicable: ({ variant: { backend } }) => (backend === 'vxlan' ? undefined : noNeighbours),
    strike: {
      on: ({ victim }) => [victim],
      script: ({ vtep }) => `ip neigh flush dev ${vtep!.name} nud permanent`,
    },
  },
  {
    id: 'flush-fdb',
    title: 'FDB entries flushed',
    what: "bridge fdb del of every entry of the backend's device on the last host: behind which host a MAC is.",
    lesson:
      'This entry says behind which host a MAC is, that is, where the outer header goes. The device was made with `nolearning`, so no answer teaches it, and flanneld does not look at it again.',
    notApplicable: ({ variant: { backend } }) =>
      backend === 'vxlan' ? undefined : 'no FDB entry is written by it',
    strike: {
      on: ({ victim }) => [victim],
      script: ({ vtep }) =>
        `bridge fdb show dev ${vtep!.name} | sed -n 's/^\\([0-9a-f:]*\\) dst \\([0-9.]*\\) .*/fdb del \\1 dev ${vtep!.name} dst \\2 self/p' | bridge -batch -`,
    },
  },
  {
    id: 'flush-iptables',
    title: 'iptables flushed',
    what: 'iptables -F and -X in the tables nat and filter of the last host: masquerading, and the leave to forward.',
    lesson:
      "flannel's rules masquerade what leaves the pods' network, and let packets be forwarded where the policy says DROP. Neither is needed from pod to pod here. flanneld looks every 5 seconds and writes them again; in a static lab pulumi up does.",
    notApplicable: everywhere,
    strike: {
      on: ({ victim }) => [victim],
      keep: () => 'iptables-save',
      script: () => 'for table in nat filter; do iptables -t $table -F; iptables -t $table -X; done',
      putBack: 'iptables-restore',
    },
  },
]
