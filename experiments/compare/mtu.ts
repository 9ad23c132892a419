/** The longest IPv4 packet that passes whole, found by trying. Pure. */
import { inside, type End } from './end.ts'

/** IPv4 20 + ICMP 8: what ping adds to its payload. */
const headers = 28
/** Every IPv4 link carries it (RFC 791). */
const least = 68

/** Halves the range from 68 to `most`, with fragmentation forbidden; a length that fails is tried twice. */
export function mtuScript(from: End, to: End, most: number): string {
  return `export LC_ALL=C
passes() {
  for try in 1 2; do
    ${inside(from)}ping -n -q -M do -c 1 -W 0.3 -s $(($1 - ${headers})) ${to.address} >/dev/null 2>&1 && return
  done
  return 1
}
passes ${least} || { echo 'not even ${least} bytes pass'; exit; }
low=${least} high=$((${most} + 1))
while [ $((high - low)) -gt 1 ]; do
  middle=$(((low + high) / 2))
  if passes $middle; then low=$middle; else high=$middle; fi
done
echo "mtu $low"
`
}

/** Bytes; or what the script said instead. */
export function parseMtu(output: string): number | string {
  const found = /^mtu (\d+)$/m.exec(output)
  return found ? Number(found[1]) : output.trim() || 'ping said nothing'
}
