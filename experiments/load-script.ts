/** Pure: the scripts that start, read and end the pings of one host, and what the pings' output means. */
import type { Ip, Name } from '../inventory/values.ts'

/** One direction between two pods of different hosts. */
export interface Stream {
  readonly from: { readonly name: Name; readonly host: Name; readonly kind: 'host' | 'pod' }
  readonly to: { readonly name: Name; readonly host: Name; readonly address: Ip }
}

/** What a stream lost. Times are in ms, by the sender's clock. */
export interface Loss {
  readonly sent: number
  readonly lost: number
  /** The longest time without an answer in which something was lost: from the first request that got none in time, to now if it lasts. */
  readonly outageMs: number
  /** How long ago the last answer came; since the start where none did. More than some 500 says: dead now. */
  readonly silentMs: number
}

export type Measured = Loss | { readonly notMeasured: string }

/**
 * Two pings of 10 ms a stream: a kernel of 100 Hz stretches 10 ms to 17, which gives 117 requests a second, and
 * shorter intervals make ping spin.
 */
const pingsPerStream = 2
const seconds = { interval: 0.01, apart: 0.008 }

/** An answer may take so long (ms). A younger request without one is under way, and not counted. */
const underWayMs = 300

/** Below it every load has a folder on its senders; on a machine that was rebooted it is gone. */
const parent = '/run/overlab-load'

/**
 * Starts the pings, and returns when each has said something. They end by themselves after `bound` seconds, and what
 * they wrote goes a minute later, if nobody has asked for it. ping's own `-w` is no bound: it ends at the first ICMP error.
 */
export function startScript(id: string, streams: readonly Stream[], bound: number): string {
  const pings = streams.flatMap(({ from, to }, stream) =>
    Array.from({ length: pingsPerStream }, (_, half) => {
      const where = from.kind === 'pod' ? `ip netns exec ${from.name} ` : ''
      const ping = `timeout -s INT ${bound} ping -n -D -O -i ${seconds.interval} ${to.address}`
      return `${where}${ping} >${stream}.${half}.log 2>&1 & echo $! >${stream}.${half}.pid; sleep ${seconds.apart}`
    }),
  )
  return `set -eu
export LC_ALL=C
dir=${parent}/${id}
mkdir -p "$dir"
cd "$dir"
( ${pings.join('\n  ')}
  wait
  sleep 60
  cd /
  rm -rf "$dir" ) </dev/null >/dev/null 2>&1 &
echo $! >keeper
tries=0
until [ "$(find . -name '*.log' -size +0 | wc -l)" -eq ${pings.length} ] || [ $tries -eq 60 ]; do
  tries=$((tries + 1))
  sleep 0.05
done
`
}

/** What the pings have written so far; they go on. For `parseLoad`. */
export function readScript(id: string): string {
  return `set -eu
cd ${parent}/${id} 2>/dev/null || { echo gone; exit 0; }
${lives}
echo "now $(date +%s.%N)"
for log in *.log; do
  lives "\${log%.log}" && state=runs || state=ended
  echo "log \${log%.log} $state"
  cat "$log"
  echo
done
`
}

/** The same, and ends them. */
export function endScript(id: string): string {
  return `${readScript(id)}
read -r keeper <keeper && kill "$keeper" 2>/dev/null || :
for log in *.log; do if lives "\${log%.log}"; then kill -INT "$pid" 2>/dev/null || :; fi; done
for log in *.log; do
  tries=0
  while lives "\${log%.log}" && [ $tries -lt 40 ]; do tries=$((tries + 1)); sleep 0.05; done
done
cd /
rm -rf ${parent}/${id}
rmdir ${parent} 2>/dev/null || :
`
}

/** `lives STREAM.HALF`; sets pid. A pid is used again: it must still be the one with our words. */
const lives = `lives() {
  read -r pid <"$1.pid" 2>/dev/null && tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q 'timeout -s INT .* ping -n -D -O'
}`

/** @param output of a `readScript` or `endScript`; @returns a value for each of `streams`, in their order */
export function parseLoad(output: string, streams: readonly Stream[]): Measured[] {
  if (output.startsWith('gone'))
    return streams.map(({ from }) => ({
      notMeasured: `${from.host} has lost its pings: it was rebooted, or they ended long ago`,
    }))
  const now = 1000 * Number(/^now ([\d.]+)$/m.exec(output)?.[1] ?? NaN)
  const logs = new Map(
    output
      .split(/^log /m)
      .slice(1)
      .map((log) => [log.split(' ', 1)[0]!, log]),
  )
  return streams.map((_, stream) => {
    const halves = Array.from({ length: pingsPerStream }, (_, half) => logs.get(`${stream}.${half}`) ?? '')
    const ended = halves.find((log) => !/^\S+ runs\n/.test(log))
    if (ended !== undefined) return { notMeasured: whyEnded(ended) }
    return lossOf(halves.flatMap(requestsOf), now)
  })
}

function whyEnded(log: string): string {
  if (log.includes('ping statistics')) return 'its pings had ended before: their time was over'
  const said = log.split('\n').slice(1).filter(Boolean)
  return `ping has ended: ${said.findLast((line) => !line.startsWith('[')) ?? 'it said nothing'}`
}

/** An echo request: when it was sent, or should have been, and when its answer came, if it did; ms. */
export interface Request {
  readonly at: number
  readonly answeredAt?: number
}

/**
 * The requests of one ping. ping tells an answer with its time, and of each that has none, when the next one is sent.
 * It tells so again and again while its own device takes no packet: each is a request that is lost. Requests of
 * which it says nothing lie evenly between their neighbours.
 */
export function requestsOf(log: string): Request[] {
  const sentAt = new Map<number, number>()
  const answeredAt = new Map<number, number>()
  const refused: Request[] = []
  for (const [, at, seq] of log.matchAll(/^\[([\d.]+)\] no answer yet for icmp_seq=(\d+)$/gm)) {
    const before = sentAt.get(Number(seq) + 1)
    if (before !== undefined) refused.push({ at: before })
    sentAt.set(Number(seq) + 1, 1000 * Number(at))
  }
  for (const [, at, seq, rtt] of log.matchAll(
    /^\[([\d.]+)\] \d+ bytes from .*icmp_seq=(\d+) .*time=([\d.]+) ms/gm,
  )) {
    if (answeredAt.has(Number(seq))) continue // a duplicate
    answeredAt.set(Number(seq), 1000 * Number(at))
    sentAt.set(Number(seq), 1000 * Number(at) - Number(rtt))
  }
  const known = [...sentAt].sort(([a], [b]) => a - b)
  const [first] = known
  if (!first) return []
  // Before the first time that is known the interval is what was asked for.
  const start = [1, first[1] - (first[0] - 1) * 1000 * seconds.interval] as const
  const anchors = first[0] > 1 ? [start, ...known] : known
  const sent = anchors.flatMap(([seq, at], index) => {
    const [next, nextAt] = anchors[index + 1] ?? [seq + 1, at]
    return Array.from({ length: next - seq }, (_, step) => ({
      at: at + ((nextAt - at) * step) / (next - seq),
      ...(answeredAt.has(seq + step) ? { answeredAt: answeredAt.get(seq + step)! } : {}),
    }))
  })
  return [...sent, ...refused].sort((a, b) => a.at - b.at)
}

/** Of all requests of one stream, up to `now` (ms). */
export function lossOf(requests: readonly Request[], now: number): Measured {
  const counted = requests
    .filter(({ at, answeredAt }) => answeredAt !== undefined || at < now - underWayMs)
    .toSorted((a, b) => a.at - b.at)
  const [first] = counted
  if (!first) return { notMeasured: 'ping has sent nothing yet' }
  let outageMs = 0
  /** Lost requests, and those that waited in a queue until the way was open again. */
  let stretch: Request[] = []
  const end = (at: number) => {
    if (stretch.some(({ answeredAt }) => answeredAt === undefined))
      outageMs = Math.max(outageMs, Math.min(at, ...answersOf(stretch)) - stretch[0]!.at)
    stretch = []
  }
  for (const request of counted) {
    const { at, answeredAt = Infinity } = request
    if (answeredAt > at + underWayMs) stretch.push(request)
    else end(answeredAt)
  }
  end(now)
  const answers = answersOf(counted)
  return {
    sent: counted.length,
    lost: counted.length - answers.length,
    outageMs: Math.round(outageMs),
    silentMs: Math.round(now - Math.max(first.at, ...answers)),
  }
}

function answersOf(requests: readonly Request[]): number[] {
  return requests.flatMap(({ answeredAt }) => answeredAt ?? [])
}
