/** Where an operation's time went, from the plugin's trace. Pure. */
import type { Run } from './project.ts'

/** Milliseconds, but for the last two: all hosts together. */
export interface Breakdown {
  readonly total: number
  /** CPU time of the engine, the program and the plugins. */
  readonly cpu: number
  /** Pulumi's process, until the first plugin is started; 0 where there is nothing to refresh (see program). */
  readonly engine: number
  /** Starts of plugins: one to refresh, one to update. */
  readonly plugins: number
  /** The Pulumi program, until its first resource needs the plugin; in an up from nothing with the engine's start. */
  readonly program: number
  /** Boots and removals: from the first one's beginning to the last one's end. */
  readonly machines: number
  readonly connect: number
  readonly probe: number
  readonly apply: number
  /** What is left: the engine's own work between and after the calls, the state's files. */
  readonly rest: number
  readonly connects: number
  readonly roundTrips: number
}

export const parts = [
  'engine',
  'plugins',
  'program',
  'machines',
  'connect',
  'probe',
  'apply',
  'rest',
] as const

export function breakdown({ ms, at, cpu, trace }: Run): Breakdown {
  const starts = trace.filter((line) => line.call === 'start').sort((a, b) => a.at - b.at)
  const calls = trace.filter((line) => line.call !== 'start')
  const sum = (numbers: readonly (number | undefined)[]) =>
    numbers.reduce<number>((all, one) => all + (one ?? 0), 0)
  const step = (...names: string[]) => sum(calls.flatMap(({ steps }) => names.map((name) => steps?.[name])))
  const [first, second] = starts
  const before = second && calls.filter((line) => line.at < second.at)
  const boots = calls.filter(
    ({ type, call }) => !type.endsWith('DataPlane') && ['create', 'update', 'delete'].includes(call),
  )
  const untilFirst = first ? first.at - at : ms
  const isFromNothing = !second && calls.some(({ call }) => call === 'check')
  const engine = isFromNothing ? 0 : untilFirst
  const plugins = sum(starts.map((line) => line.ms))
  const readyAt = first ? first.at + first.ms : at
  const program = second
    ? second.at - Math.max(readyAt, ...before!.map((line) => line.at + line.ms))
    : isFromNothing
      ? untilFirst
      : 0
  const machines =
    boots.length === 0
      ? 0
      : Math.max(...boots.map((line) => line.at + line.ms)) - Math.min(...boots.map((line) => line.at))
  const [connect, probe, apply] = [step('connect'), step('probe'), step('apply')]
  return {
    total: ms,
    cpu,
    engine,
    plugins,
    program,
    machines,
    connect,
    probe,
    apply,
    rest: ms - engine - plugins - program - machines - connect - probe - apply,
    connects: sum(calls.map((line) => line.connects)),
    roundTrips: sum(calls.map((line) => line.roundTrips)),
  }
}

/** Part by part, so that one slow part of one run does not stand for all. */
export function medianOf(samples: readonly Breakdown[]): Breakdown {
  const keys = Object.keys(samples[0]!) as (keyof Breakdown)[]
  return Object.fromEntries(
    keys.map((key) => [key, median(samples.map((sample) => sample[key]))]),
  ) as unknown as Breakdown
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
