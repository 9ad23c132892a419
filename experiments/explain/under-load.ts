/** What pods of every pair of hosts lose while something happens, at 100 packets a second for each pair. */
import { setTimeout as sleep } from 'node:timers/promises'
import { podStreams, startLoad, type StreamLoss } from '../load.ts'
import { CannotMeasure } from './measured.ts'
import type { Notes } from './notes.ts'
import type { Site } from './site.ts'

export interface Talk {
  readonly pairs: number
  readonly sent: number
  readonly lost: number
  /** The longest of all pairs, in ms. */
  readonly outageMs: number
  /** Pairs that were still answered at the end. */
  readonly talking: number
}

/** An answer that is so old (ms) is the last one. */
const silent = 1000
/** Packets that a busy machine may lose without a reason that matters here. */
const tolerated = 0.01

/** @throws CannotMeasure where the load of a host could not be measured; HostError */
export async function talkDuring(site: Site, notes: Notes, act: () => Promise<void>): Promise<Talk> {
  const streams = podStreams(site.plan)
  const load = await startLoad(site.session, streams, { bound: 120, signal: site.signal })
  let losses: readonly StreamLoss[]
  const from = notes.evidence.at(-1)!.runs.length
  try {
    await act()
  } finally {
    losses = await load.stop()
  }
  const talk = sumOf(losses)
  notes.add(
    {
      command: `# meanwhile, 100 pings a second for each of ${talk.pairs} pairs of pods:`,
      output: losses
        .map((one) =>
          'sent' in one
            ? `${one.pair}: ${one.lost} of ${one.sent} lost${one.lost > 0 ? `, ${Math.round(one.outageMs)} ms without an answer` : ''}`
            : '',
        )
        .join('\n'),
    },
    from,
  )
  return talk
}

/** Pure. @throws CannotMeasure for a pair that was not measured */
export function sumOf(losses: readonly StreamLoss[]): Talk {
  const measured = losses.map((one) => {
    if ('notMeasured' in one) throw new CannotMeasure(`${one.pair}: ${one.notMeasured}`)
    return one
  })
  if (measured.length === 0) throw new CannotMeasure('there are no pods on two hosts')
  const sum = (of: (one: (typeof measured)[number]) => number) =>
    measured.reduce((all, one) => all + of(one), 0)
  return {
    pairs: measured.length,
    sent: sum(({ sent }) => sent),
    lost: sum(({ lost }) => lost),
    outageMs: Math.round(Math.max(...measured.map(({ outageMs }) => outageMs))),
    talking: measured.filter(({ silentMs }) => silentMs < silent).length,
  }
}

/** All pairs were answered to the end, and lost nothing worth a word. */
export function goesOn({ pairs, sent, lost, talking }: Talk): boolean {
  return sent > 0 && talking === pairs && lost <= sent * tolerated
}

/** No pair has an answer any more. */
export function isDead({ sent, lost, talking }: Talk): boolean {
  return sent > 0 && lost > 0 && talking === 0
}

export function talkWords({ pairs, sent, lost, outageMs, talking }: Talk): string {
  return `${lost} of ${sent} packets lost${lost > 0 ? `, at most ${outageMs} ms without an answer` : ''}; ${talking} of ${pairs} pairs answered at the end`
}

/** Waits while packets go, unless the caller gives up. */
export async function wait(site: Site, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal: site.signal })
}
