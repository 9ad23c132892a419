/** What a page of questions begins with: each answer in two sentences, and the words that they use. */

/** By the question's number. The evidence of the same page proves each. */
export const inShort: Readonly<Record<number, string>> = {
  1: "With vxlan and udp, yes: the outer header has the two hosts' NIC addresses, the inner one the pods'. host-gw is no tunnel: the packet has one header, with the pods' addresses.",
  2: "By entries that were written into the sending host's kernel beforehand: a route; with vxlan also a neighbour and an FDB entry; with udp a row in a table of peers. Nobody is asked when a packet is sent.",
  3: 'Because flanneld only writes entries; the kernel keeps them, and carries the packets. Only with its own udp backend does flanneld carry each packet itself, and then its death ends the traffic.',
  4: "The sending host's own kernel, by those entries. They are permanent, and belong to no process that could die.",
  5: 'There are none: Linux has had no IPv4 route cache since 3.6, so each packet is decided by the tables as they are now (`ip route get ADDRESS` shows the decision). `ip route show cache` lists only exceptions that a path taught, such as a smaller MTU.',
  6: "No: they become routes, neighbours, FDB entries or rows of a table of peers. The iptables rules only let the pods' packets be forwarded, and masquerade what leaves the pod network.",
  7: 'For packets, nobody. Only flanneld talks to etcd, to hear of hosts that come and go and to renew its lease; pods talk on while etcd is dead.',
  8: 'There are several tables, tried in the order of `ip rule`; `ip route show table all` lists them all. `ip route`, `route -n` and /proc/net/route show only the main one; `ip route get ADDRESS` says what is decided.',
}

export const glossary: readonly (readonly [word: string, meaning: string])[] = [
  ['underlay', 'the network between the hosts; a host has one address there, on its NIC'],
  ['overlay', "the network between pods of all hosts; each host has a part of it, its pods' subnet"],
  ['peer', 'another host of the overlay'],
  ['route', 'from an address range to the next hop and the device'],
  ['neighbour', 'from a next hop to its MAC address; ARP finds it, or it is written as permanent'],
  ['FDB entry', "a device's forwarding table: from a MAC address to the host (vxlan)"],
  ['outer header', "what a tunnel puts before a pod's packet; the packet's own header is then the inner one"],
  ['VTEP', 'the device that does so for vxlan: `flannel.1`'],
  ['flanneld', "the daemon that writes a host's entries, from what etcd knows"],
  ['etcd', 'the store in which each host has a lease of its subnet'],
]
