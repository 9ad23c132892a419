/** The labs that stand side by side while they are measured, and the samples so far. */
import type { Inventory } from '../../inventory/inventory.ts'
import { HostError } from '../../remote/errors.ts'
import { underlay, type Sample } from '../results/comparison.ts'
import { scratchLab, type ScratchLab } from '../variants/scratch.ts'
import type { Variant } from '../variants/variant.ts'
import { hostEnd, podEnds, type Subject } from './end.ts'
import { reasonOf, type Reading } from './measure.ts'
import type { MetricId } from './metrics.ts'

export interface Bench {
  readonly samples: readonly Sample[]
  /** Undefined where it could not be built. */
  lab(variant: string): ScratchLab | undefined
  /** A new lab in the place of the variant's old one; how long that took is a sample of `build`. */
  build(variant: Variant, round: number, hosts: readonly string[]): Promise<void>
  /** What `work` finds; or for each of `ids` why it found nothing. @throws what is no failure of a measurement */
  attempt(
    subject: string,
    round: number,
    ids: readonly MetricId[],
    work: (subject: Subject) => Promise<readonly Reading[]>,
  ): Promise<void>
  /** Takes every lab away. */
  clear(): Promise<void>
}

/** @param wanted samples of other metrics are dropped */
export function openBench(
  inventory: Inventory,
  wanted: (metric: MetricId) => boolean,
  signal?: AbortSignal,
): Bench {
  const samples: Sample[] = []
  const labs = new Map<string, ScratchLab>()
  /** Why a variant has no lab. */
  const failures = new Map<string, Error>()

  const record = (variant: string, round: number, readings: readonly Reading[]) => {
    for (const { metric, ...reading } of readings)
      if (wanted(metric)) samples.push({ variant, metric, round, ...reading })
  }
  const recordMissing = (variant: string, round: number, ids: readonly MetricId[], error: unknown) => {
    const notMeasured = reasonOf(error, signal)
    record(
      variant,
      round,
      ids.map((metric) => ({ metric, notMeasured })),
    )
  }
  /** Of the bare underlay: the hosts of any lab. */
  const subjectOf = (name: string): Subject => {
    const lab = name === underlay ? labs.values().next().value : labs.get(name)
    if (!lab)
      throw failures.get(name) ?? new HostError({ host: name, step: 'build', why: 'no lab was built' })
    const [from, to] = podEnds(lab.plan)
    if (!from || !to) throw new Error(`${lab.name} has no two hosts with pods`)
    if (name !== underlay) return { lab, from, to }
    return { lab, from: hostEnd(lab.plan, from.host), to: hostEnd(lab.plan, to.host) }
  }

  return {
    samples,
    lab: (variant) => labs.get(variant),
    async build(variant, round, hosts) {
      await labs.get(variant.name)?.destroy()
      labs.delete(variant.name)
      failures.delete(variant.name)
      try {
        const lab = await scratchLab({ inventory }, variant, { ...(signal && { signal }), hosts })
        labs.set(variant.name, lab)
        record(variant.name, round, [{ metric: 'build', value: lab.buildMs / 1000 }])
      } catch (error) {
        if (error instanceof Error) failures.set(variant.name, error)
        recordMissing(variant.name, round, ['build'], error)
      }
    },
    async attempt(subject, round, ids, work) {
      try {
        record(subject, round, await work(subjectOf(subject)))
      } catch (error) {
        recordMissing(subject, round, ids, error)
      }
    },
    async clear() {
      // One that can not be taken away keeps none of the others.
      const ends = await Promise.allSettled([...labs.values()].map((lab) => lab.destroy()))
      const failed = ends.find((end) => end.status === 'rejected')
      if (failed) throw failed.reason
    },
  }
}
