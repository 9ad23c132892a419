/** What to do about a tool's failure, where its words say enough. */
export function hintFor(exitCode: number, stderr: string): { hint?: string } {
  for (const [sign, hint] of signs) {
    const found = stderr.match(sign)
    if (found) return { hint: hint.replace('$1', found[1] ?? '') }
  }
  return exitCode === 127 ? { hint: 'a tool is missing on the host; it needs iproute2 and iptables' } : {}
}

const signs: readonly (readonly [RegExp, string])[] = [
  [
    /No space left on device|Read-only file system/,
    'the host takes no more files there (`df -h /etc /run`); a host that cannot keep its data plane on disk needs persist: false',
  ],
  [
    /(\w[\w-]*): not found/,
    '$1 is missing on the host; it needs iproute2 and iptables (and bpftool for udp)',
  ],
  [
    /Operation not permitted|Permission denied/,
    'changing the network needs root on the host; log in as root',
  ],
  [/Unknown device type/, "the host's kernel lacks this kind of link; `overlab doctor` lists what is needed"],
  [/Cannot find device "([^"]*)"/, 'there is no link $1 on the host; was it removed or renamed?'],
  [
    /invalid gateway|Network is unreachable/,
    'the next hop is on no link of the host; does its NIC have the underlay address?',
  ],
  [
    /VXLAN device with the specified VNI already exists/,
    'another link on the host has this VNI and port (`ip -d link show type vxlan` names it); delete it, or give the backend another VNI or Port',
  ],
  [
    /CHAIN_DEL failed/,
    'a rule of someone else still leads into the chain (`iptables-save | grep FLANNEL` shows it); delete that rule',
  ],
  [
    /File exists/,
    'something of the same kind is there already, made by someone else; remove it or give this one other settings',
  ],
]
