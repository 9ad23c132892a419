/** Pings between pods of all hosts while something else goes on. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestLab } from './lab.ts'

export interface Stream {
  /** `node1-pod1 -> node2-pod1` */
  readonly pair: string
  readonly sent: number
  readonly lost: number
}

export interface Pings {
  /** Ends them; returns what each pair sent and lost. */
  stop(): Promise<Stream[]>
}

/**
 * From the first pod of every host to the first pod of every other, 100 and more a second for each ordered pair: two
 * pings of 10 ms each, since a kernel of 100 Hz stretches 10 ms to 17 and shorter intervals make ping spin. They end
 * by themselves after two minutes.
 */
export async function startPings(lab: TestLab, numbers: readonly number[]): Promise<Pings> {
  const streams = numbers.map((from) => {
    const pings = numbers
      .filter((to) => to !== from)
      .flatMap((to) =>
        [1, 2].map(
          (half) =>
            `ip netns exec node${from}-pod1 ping -n -i 0.01 -w 120 -W 1 10.244.${to}.2 >/run/ping.${to}.${half} 2>&1 & sleep 0.008`,
        ),
      )
    const collect = `for log in /run/ping.*; do echo "log $log"; cat $log; rm $log; done`
    const script = `${pings.join('\n')}\necho started\nread stop || :\nkill -INT $(jobs -p)\nwait\n${collect}`
    // bash, for its `jobs -p` in a script; the script is an argument, so that standard input can say when to stop.
    const child = spawn('ssh', [
      '-F',
      `/run/overlab/${lab.name}/ssh_config`,
      `node${from}`,
      `bash -c '${script}'`,
    ])
    let output = ''
    let failure = ''
    child.stdout.on('data', (chunk) => (output += String(chunk)))
    child.stderr.on('data', (chunk) => (failure += String(chunk)))
    const started = once(child.stdout, 'data')
    return { from, child, started, read: () => output + failure }
  })
  await Promise.all(streams.map(({ started }) => started))
  return {
    async stop() {
      const results = await Promise.all(
        streams.map(async ({ from, child, read }) => {
          child.stdin.end('\n')
          await once(child, 'close')
          return parse(from, read())
        }),
      )
      return results.flat()
    },
  }
}

function parse(from: number, output: string): Stream[] {
  const pairs = new Map<string, { sent: number; lost: number }>()
  for (const log of output.split(/^log \/run\/ping\./m).slice(1)) {
    const to = log.split('.', 1)[0]
    const sent = Number(/(\d+) packets transmitted/.exec(log)?.[1] ?? 0)
    const seen = new Set([...log.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, seq]) => Number(seq)))
    // The last three may have been under way when ping was told to stop.
    const lost = Array.from({ length: Math.max(0, sent - 3) }, (_, n) => n + 1).filter(
      (seq) => !seen.has(seq),
    ).length
    const key = `node${from}-pod1 -> node${to}-pod1`
    const sum = pairs.get(key) ?? { sent: 0, lost: 0 }
    pairs.set(key, { sent: sum.sent + sent, lost: sum.lost + lost })
  }
  if (pairs.size === 0) throw new Error(`no ping of node${from} says anything: ${output}`)
  return [...pairs].map(([pair, sums]) => ({ pair, ...sums }))
}
