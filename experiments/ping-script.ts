/** Pure: the script that pings from all sources of one host, and what its output means. */
import { pairs, type Endpoint, type Reach } from './pair.ts'

export interface PingOptions {
  /** Echo requests a pair. Default 3. */
  readonly count?: number
  /** Seconds between two of them. Default 0.05. */
  readonly interval?: number
}

/** Pings under way at once from one source: enough to be quick, few enough not to measure the controller's own load. */
const atOnce = 8

/**
 * One POSIX script for all sources of a host; names and addresses are shell-safe by their types. It prints a line
 * `# SOURCE` before what a source says, and a line `SOURCE ADDRESS` with ping's last lines for every pair.
 */
export function reachScript(
  sources: readonly Endpoint[],
  all: readonly Endpoint[],
  options: PingOptions = {},
): string {
  const { count = 3, interval = 0.05 } = options
  const ofSource = ({ name, kind }: Endpoint) => {
    const addresses = all.filter((to) => to.name !== name).map((to) => to.address)
    const script = [
      // The whole line by one write: lines of pings that end at once do not mix.
      `one() { said=$(ping -n -q -c ${count} -i ${interval} -W 1 "$1" 2>&1 | tail -n 3 | tr '\\n' ' '); echo "${name} $1 $said"; }`,
      `n=0; for to in ${addresses.join(' ')}; do one "$to" & n=$((n + 1)); [ $n -lt ${atOnce} ] || { wait; n=0; }; done; wait`,
    ]
    const shell = kind === 'pod' ? `ip netns exec ${name} sh` : 'sh'
    // A pod that is not there is told in its own words; the other sources are measured all the same.
    return [`echo '# ${name}'`, `${shell} 2>&1 <<'END' || :`, ...script, 'END'].join('\n')
  }
  return `export LC_ALL=C\n${sources.map(ofSource).join('\n')}\n`
}

/** What ping printed, iputils' or BusyBox's, for every pair; a pair whose ping said nothing of packets was not measured. */
export function parseReach(output: string, sources: readonly Endpoint[], all: readonly Endpoint[]): Reach[] {
  const { lines, others } = read(output)
  return pairs(sources, all).map(({ from, to }) => {
    const line = lines.get(`${from.name} ${to.address}`) ?? ''
    const packets = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(line)
    if (!packets) {
      const why = errorIn(line) || others.get(from.name) || `${from.name} said nothing`
      return { from, to, sent: 0, received: 0, notMeasured: why }
    }
    const rtt = /(?:rtt|round-trip) min\/avg\/max(?:\/mdev)? = ([\d.]+)\/([\d.]+)\/([\d.]+)/.exec(line)
    return {
      from,
      to,
      sent: Number(packets[1]),
      received: Number(packets[2]),
      ...(rtt ? { rtt: { min: Number(rtt[1]), avg: Number(rtt[2]), max: Number(rtt[3]) } } : {}),
    }
  })
}

/** BusyBox says whom it pings before it says why it cannot. */
function errorIn(line: string): string {
  return line.replace(/^PING \S+ \([^)]*\): \d+ data bytes (?=\S)/, '')
}

/** By pair what its ping said, by source the last that it said beside. */
function read(output: string): { lines: Map<string, string>; others: Map<string, string> } {
  const lines = new Map<string, string>()
  const others = new Map<string, string>()
  let source = ''
  for (const line of output.split('\n')) {
    const [first = '', second = '', ...rest] = line.split(' ')
    if (first === '#') source = second
    else if (first === source && second) lines.set(`${first} ${second}`, rest.join(' ').trim())
    else if (line.trim()) others.set(source, line.trim())
  }
  return { lines, others }
}
