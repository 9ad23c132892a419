/** What the bench takes from a `compare`. Pure. */
import type { Compared } from '../../experiments/compare/compare.ts'
import type { Progress } from '../../experiments/compare/tasks.ts'

/** By round; rounds in which it was not measured are missing. */
export function roundsOf(
  { samples }: Pick<Compared, 'samples'>,
  variant: string,
  metric: string,
): Map<number, number> {
  return new Map(
    samples.flatMap((sample) =>
      sample.variant === variant && sample.metric === metric && !sample.of && 'value' in sample
        ? [[sample.round, sample.value] as const]
        : [],
    ),
  )
}

/** `TCP, 1 stream, Mbit/s` */
export function titleOf({ metrics }: Pick<Compared, 'metrics'>, metric: string): string {
  const { title = metric, unit = '' } = metrics.find(({ id }) => id === metric) ?? {}
  return unit ? `${title}, ${unit}` : title
}

export function progressText({ what, left }: Progress): string {
  return `${what}${left > 0 ? `; some ${Math.ceil(left)} s left` : ''}`
}
