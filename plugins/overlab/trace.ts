/**
 * Where the time goes: with OVERLAB_TRACE=FILE the plugin appends one JSON line to FILE for its own start and for
 * each call of the engine. Without it, nothing is measured. `npm run bench` reads these lines.
 */
import { appendFileSync } from 'node:fs'
import type { Pool } from '../../remote/pool.ts'
import type { Session } from '../../remote/session.ts'
import type { ResourceHandlers } from '../server/handlers.ts'

/** Times are in milliseconds; `at` is Unix time. */
export interface TraceLine {
  readonly pid: number
  /** `start` of the process, or `read`, `create`, ... of a resource. */
  readonly call: string
  readonly type: string
  readonly name: string
  readonly at: number
  readonly ms: number
  readonly connects?: number
  readonly roundTrips?: number
  /** By step (`connect`, `probe`, `apply`): from the first host's beginning to the last one's end. */
  readonly steps?: Readonly<Record<string, number>>
}

export interface Trace {
  /** Says that the plugin is ready to serve. */
  started(): void
  pool(pool: Pool): Pool
  resources(
    resources: Readonly<Record<string, ResourceHandlers>>,
    pool: () => Pool | undefined,
  ): Readonly<Record<string, ResourceHandlers>>
}

/** What changes nothing where `file` is undefined. */
export function traceTo(file: string | undefined): Trace {
  if (!file) return { started() {}, pool: (pool) => pool, resources: (resources) => resources }
  const spans = new Map<string, { from: number; to: number }>()
  const time = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    const from = performance.now()
    try {
      return await work()
    } finally {
      const span = spans.get(step)
      spans.set(step, { from: Math.min(from, span?.from ?? from), to: performance.now() })
    }
  }
  const write = (line: Omit<TraceLine, 'pid'>) =>
    appendFileSync(file, JSON.stringify({ pid: process.pid, ...line } satisfies TraceLine) + '\n')

  const timed = (session: Session): Session => ({
    target: session.target,
    get roundTrips() {
      return session.roundTrips
    },
    run: (script, options) => time(options?.step?.split(' ')[0] ?? 'run', () => session.run(script, options)),
    close: () => session.close(),
  })

  const traced = (
    type: string,
    handlers: ResourceHandlers,
    pool: () => Pool | undefined,
  ): ResourceHandlers => {
    const calls = Object.entries(handlers).map(([call, run]: [string, (...args: unknown[]) => unknown]) => [
      call,
      async (...args: unknown[]) => {
        const from = performance.now()
        const before = counts(pool())
        spans.clear()
        try {
          return await run.apply(handlers, args)
        } finally {
          const { connects, roundTrips } = counts(pool())
          const context = args.at(-1)
          const name = typeof context === 'object' && context && 'name' in context ? context.name : ''
          write({
            call,
            type,
            name: typeof name === 'string' ? name : '',
            at: performance.timeOrigin + from,
            ms: performance.now() - from,
            ...(connects + roundTrips > before.connects + before.roundTrips && {
              connects: connects - before.connects,
              roundTrips: roundTrips - before.roundTrips,
              steps: Object.fromEntries([...spans].map(([step, { from, to }]) => [step, to - from])),
            }),
          })
        }
      },
    ])
    // eslint-disable-next-line overlab/no-cast-of-unknown -- the same handlers under the same names
    return Object.fromEntries(calls) as ResourceHandlers
  }

  return {
    started: () =>
      write({ call: 'start', type: '', name: '', at: performance.timeOrigin, ms: performance.now() }),
    pool: (pool) => ({
      get connects() {
        return pool.connects
      },
      get roundTrips() {
        return pool.roundTrips
      },
      session: async (target) => timed(await time('connect', () => pool.session(target))),
      renew: async (target) => timed(await time('connect', () => pool.renew(target))),
      close: () => pool.close(),
    }),
    resources: (resources, pool) =>
      Object.fromEntries(
        Object.entries(resources).map(([type, handlers]) => [type, traced(type, handlers, pool)]),
      ),
  }
}

function counts(pool: Pool | undefined): { connects: number; roundTrips: number } {
  return { connects: pool?.connects ?? 0, roundTrips: pool?.roundTrips ?? 0 }
}
