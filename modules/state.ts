/**
 * HostState: what one host's kernel must hold, as tables from a key to one canonical line. The line is what
 * iproute2 (or iptables-save) prints, so that a preview, a state file and `ip route` read the same.
 *
 * | table      | key                              | line |
 * |------------|----------------------------------|------|
 * | fou        | `8285`                           | `ipproto 4` (udp by FOU: what arrives at this UDP port is an IPv4 packet) |
 * | links      | `flannel.1`                      | `vxlan id 1 dev eth0 local 192.168.77.1 dstport 8472 nolearning mtu 1450 address 56:c7:49:48:ee:87` |
 * |            | `cni0`                           | `bridge mtu 1450 address 0a:58:0a:f4:35:01` |
 * |            | `flannel0`                       | `ipip local 192.168.77.1 dev eth0 ttl 64 encap fou encap-sport 8285 encap-dport 8285 mtu 1472` |
 * |            | `veth0`                          | `veth peer veth1 mtu 1450 address 0a:58:0a:f4:35:09 master cni0` |
 * | addresses  | `10.244.53.0/32 dev flannel.1`   | `scope global` |
 * |            | `10.244.53.1/24 dev cni0`        | `brd 10.244.53.255 scope global` |
 * | neighbours | `10.244.23.0 dev flannel.1`      | `lladdr 72:55:50:87:cf:a2` (permanent; any other state is said: `lladdr ... stale`) |
 * | fdb        | `72:55:50:87:cf:a2 dev flannel.1`| `dst 192.168.77.2` (self permanent; anything else is said) |
 * | sysctls    | `net/ipv4/ip_forward`            | `1` |
 * | offloads   | `eth0`                           | `tx off` (checksums of what it sends are finished before; see offload.ts) |
 * | filters    | `eth0 ingress`                   | `bpf udp.o:[tc] direct-action port 8285 local 192.168.77.1` |
 * | peers      | `10.244.23.0/24`                 | `192.168.77.2` (udp's kernel datapath: inner subnet -> outer address) |
 * | iptables   | `nat FLANNEL-POSTRTG 2`          | `-s 10.244.53.0/24 -d 10.244.0.0/16 -m comment --comment "flanneld masq" -j RETURN` |
 * |            | `nat POSTROUTING flanneld masq`  | `-j FLANNEL-POSTRTG` |
 * | pods       | `node1-pod1`                     | `10.244.53.2/24 via 10.244.53.1 dev cni0 mtu 1450 address 0a:58:0a:f4:35:02` |
 * | routes     | `10.244.23.0/24`                 | `via 10.244.23.0 dev flannel.1 onlink` |
 * |            | `10.244.0.0/16`                  | `encap bpf xmit udp.o:[lwt_xmit] dev eth0 scope link src 10.244.53.1` |
 * | impairments | `eth0`                        | `rate 100mbit delay 20ms jitter 2ms loss 1%` (of all peers that share it) |
 * |            | `eth0 to 192.168.77.2`           | `subnet 10.244.23.0/24 delay 5ms`, `subnet 10.244.24.0/24 shared` |
 * | boot       | `overlab.service`                | `restores /etc/overlab/data-plane` (what differs on the disk is said) |
 *
 * The order is the one in which the kernel is told: a link may need the code that a FOU port loads, a sysctl may belong to a link, a neighbour needs one, and a
 * route needs all the rest. What its packets suffer on the link follows, and last
 * what is written to the disk.
 */
export const tableNames = [
  'fou',
  'links',
  'addresses',
  'neighbours',
  'fdb',
  'sysctls',
  'offloads',
  'filters',
  'peers',
  'iptables',
  'pods',
  'routes',
  'impairments',
  'boot',
] as const
export type TableName = (typeof tableNames)[number]

export type Table = Readonly<Record<string, string>>
/** A table that is missing is empty. */
export type HostState = Readonly<Partial<Record<TableName, Table>>>
