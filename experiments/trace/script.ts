/**
 * The shell scripts of a trace: begin (counters, captures), send, read. Nothing is run here. What goes into them is
 * shell-safe by its type: names, addresses and link names of a plan, and numbers.
 */
import { peersPath, configPath, statsPath } from '../../modules/bpf/names.ts'
import type { TunnelPorts } from './packet.ts'

/** What a host is asked about one destination: `ip route get`, in a pod or on the host, as sent or as forwarded. */
export interface Lookup {
  readonly pod?: string
  readonly to: string
  /** Of a packet that is forwarded: its source and the link by which it came. */
  readonly from?: string
  readonly iif?: string
}

export interface HostScript {
  /** Of this trace: names its folder and parts the answers. Letters and digits. */
  readonly id: string
  readonly nic: string
  readonly ports: TunnelPorts
  readonly iptables: 'auto' | 'nft' | 'legacy'
  readonly pods: readonly string[]
  readonly lookups: readonly Lookup[]
}

/** Captures end by themselves after so many seconds, whatever becomes of the controller. */
export const captureSeconds = 15
/** Packets of a capture: a trace is of one packet, and others' pings must not fill a disk. */
const captured = 400
/** Outer 14 + 20 + 8 + 8, inner 14 + 20 + 8, and what tells our packet from others'; an ICMP error carries half of it again. */
const snapLength = 256

/** `ip route get`'s words; also what a person runs to see the same. */
export function lookupWords({ to, from, iif }: Lookup): string {
  return [`route get fibmatch ${to}`, from ? `from ${from}` : '', iif ? `iif ${iif}` : '']
    .filter(Boolean)
    .join(' ')
}

export function lookupKey(lookup: Lookup): string {
  return [lookup.pod ?? '-', lookup.to, lookup.from ?? '-', lookup.iif ?? '-'].join(' ')
}

/**
 * Writes down the counters and starts the captures, which listen when it ends. A keeper ends them and removes
 * their folder even where nobody ever comes back for them.
 */
export function beginScript(host: HostScript): string {
  const dir = folder(host)
  const capture = (link: string) =>
    `timeout ${captureSeconds} tcpdump -Z root --immediate-mode -n -U -s ${snapLength} -c ${captured} -i ${link} -w ${link}.pcap '${filter(host.ports)}' 2>${link}.err & pids="$pids $!"`
  return [
    'export LC_ALL=C',
    counterLines(host),
    `if command -v tcpdump >/dev/null; then`,
    `mkdir -m 700 ${dir} && cd ${dir} || exit 1`,
    `cat >keeper <<'END'`,
    `cd ${dir}; pids=; trap 'kill $pids; exit' TERM`,
    capture('any'),
    capture(host.nic),
    `echo $$ >pid; wait; sleep ${captureSeconds} & pids=$!; wait; rm -rf ${dir}`,
    'END',
    `setsid sh keeper </dev/null >/dev/null 2>&1 &`,
    // Both listen, or one has said why not.
    `n=0; until [ "$(cat any.err ${host.nic}.err 2>/dev/null | grep -Ec 'listening on|tcpdump: .*:')" -ge 2 ] || [ $n -ge 150 ]; do n=$((n + 1)); sleep 0.02; done`,
    'fi',
    '',
  ].join('\n')
}

/**
 * One echo request, to be known by its payload wherever it is seen. `pattern`: 8 bytes in hex. BusyBox's ping takes a
 * single byte, and refuses more before it sends anything: then it is asked again, and a line says so.
 */
export function sendScript(from: { readonly pod?: string }, to: string, pattern: string): string {
  const inside = from.pod ? `ip netns exec ${from.pod} ` : ''
  const ping = (payload: string): string => `${inside}ping -n -c 1 -W 2 -p ${payload} ${to} 2>&1`
  // Eight zero bytes are in many packets of others.
  const byte = /[1-9a-f]./.exec(pattern)?.[0] ?? 'a5'
  return `export LC_ALL=C
said=$(${ping(pattern)}); code=$?
case $said in *"invalid number '${pattern}'"*) echo '${oneByte} ${byte}'; said=$(${ping(byte)}); code=$? ;; esac
echo "$said"
echo "exit $code"
`
}

/** Begins the line that names the byte which fills the whole payload. */
export const oneByte = 'payload of one byte:'

/** Ends the captures, prints them, and everything that decided the packet's way. */
export function readScript(host: HostScript): string {
  const { id, nic, pods, lookups } = host
  const section = (name: string, command: string) => [
    `echo; echo '== ${id} ${name}'`,
    `{ ${command}; } 2>&1 || :`,
  ]
  return [
    'export LC_ALL=C',
    endLines(host),
    ...['any', nic].flatMap((link) => [
      ...section(`capture ${link} said`, `cat ${folder(host)}/${link}.err`),
      ...section(
        `capture ${link}`,
        `if [ -e ${folder(host)}/${link}.pcap ]; then base64 ${folder(host)}/${link}.pcap; fi`,
      ),
    ]),
    `rm -rf ${folder(host)}`,
    counterLines(host),
    ...section('links', 'ip -j -d link show'),
    ...section('neighbours', 'ip -4 -j neigh show nud all'),
    ...section('fdb', 'bridge -j fdb show'),
    ...section('ports', 'bridge -j link show'),
    ...section('tunnels', 'ip -d tuntap show'),
    ...section('peers', `if [ -e ${peersPath} ]; then bpftool -j map dump pinned ${peersPath}; fi`),
    ...section('config', `if [ -e ${configPath} ]; then bpftool -j map dump pinned ${configPath}; fi`),
    ...section('filters', `tc -j filter show dev ${nic} ingress`),
    // A ruleset that was cut is none.
    ...section(
      'ruleset',
      'if command -v nft >/dev/null; then nft -j list ruleset 2>/dev/null | head -c 2000000; fi',
    ),
    ...section('forwarding', 'cat /proc/sys/net/ipv4/ip_forward'),
    ...pods.flatMap((pod) => [
      ...section(`pod ${pod} links`, `ip -n ${pod} -j -d addr show`),
      ...section(`pod ${pod} neighbours`, `ip -n ${pod} -4 -j neigh show nud all`),
    ]),
    ...lookups.flatMap((lookup) =>
      section(
        `lookup ${lookupKey(lookup)}`,
        `ip ${lookup.pod ? `-n ${lookup.pod} ` : ''}-d -j ${lookupWords(lookup)}; ip ${lookup.pod ? `-n ${lookup.pod} ` : ''}-j ${lookupWords(lookup).replace('fibmatch ', '')}`,
      ),
    ),
    '',
  ].join('\n')
}

/** Only ends the captures: what an interrupted trace has left. */
export function endScript(host: Pick<HostScript, 'id'>): string {
  return `${endLines(host)}\nrm -rf ${folder(host)}\n`
}

/** The keeper and its captures by their pids; they have written all they saw when this ends. */
function endLines(host: Pick<HostScript, 'id'>): string {
  const pid = `${folder(host)}/pid`
  return [
    `if [ -e ${pid} ]; then read -r keeper <${pid}; kill "$keeper" 2>/dev/null`,
    `n=0; while kill -0 "$keeper" 2>/dev/null && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.02; done; fi`,
  ].join('\n')
}

function counterLines({ id, iptables }: HostScript): string {
  const save = iptables === 'auto' ? 'iptables-save' : `iptables-${iptables}-save`
  return [
    `echo; echo '== ${id} rules'; ${save} -c 2>/dev/null || :`,
    `echo; echo '== ${id} stats'; if [ -e ${statsPath} ]; then bpftool -j map dump pinned ${statsPath}; fi`,
  ].join('\n')
}

/** ICMP, bare or in the backend's envelope. Of an envelope the byte that says which protocol is inside. */
function filter({ vxlan, udp }: TunnelPorts): string {
  const inside = [
    'icmp',
    // UDP 8 + VXLAN 8 + Ethernet 14 + 9: the inner IPv4 header's protocol
    ...(vxlan ? [`(udp dst port ${vxlan} and udp[39] = 1)`] : []),
    // UDP 8 + 9
    ...(udp ? [`(udp dst port ${udp} and udp[17] = 1)`] : []),
  ]
  return inside.join(' or ')
}

/** Of this trace alone, so that two at once do not meet. */
function folder({ id }: Pick<HostScript, 'id'>): string {
  return `/run/overlab-trace-${id}`
}

/** What a script printed: section -> its text, and whether the script came to it. */
export function sectionsOf(output: string, id: string): ReadonlyMap<string, string> {
  const sections = new Map<string, string>()
  for (const part of output.split(`\n== ${id} `).slice(1)) {
    const end = part.indexOf('\n')
    sections.set(end < 0 ? part : part.slice(0, end), end < 0 ? '' : part.slice(end + 1).trim())
  }
  return sections
}
