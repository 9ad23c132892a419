/** Round-trip times: ping's script and what it printed. Pure. */
import { inside, type End } from './end.ts'

/** 100 a second; shorter intervals make ping spin, and then it measures itself. */
export function roundTripScript(from: End, to: End, count: number): string {
  return `export LC_ALL=C\nexec timeout ${Math.ceil(count * 0.1) + 10} ${inside(from)}ping -n -i 0.01 -c ${count} -W 1 ${to.address} 2>&1\n`
}

export interface RoundTrips {
  readonly sent: number
  /** Of the answered ones, in ms. */
  readonly times: readonly number[]
}

/** Undefined where ping sent nothing. */
export function parseRoundTrips(output: string): RoundTrips | undefined {
  const sent = Number(/(\d+) packets transmitted/.exec(output)?.[1] ?? 0)
  if (sent === 0) return undefined
  return {
    sent,
    times: [...output.matchAll(/icmp_seq=\d+ ttl=\d+ time=([\d.]+) ms$/gm)].map(([, ms]) => Number(ms)),
  }
}
