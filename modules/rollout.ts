/** The same change on many hosts: everything in parallel, no host stops another, no packet lost on the way. */
import pLimit from 'p-limit'
import { HostError } from '../remote/errors.ts'
import type { Pool } from '../remote/pool.ts'
import type { Target } from '../remote/target.ts'
import { applyChanges, diffState, probe, type HostPlan } from './apply.ts'
import { needsBarrier } from './barrier.ts'
import { handedOver } from './lent.ts'
import { phases, type Change, type Phase } from './module.ts'
import type { HostState } from './state.ts'

export interface HostTask {
  readonly target: Target
  readonly plan: HostPlan
}

export interface RolloutOptions {
  readonly signal?: AbortSignal
  /** Told at the end of every step of a host: how many of how many hosts have finished it. */
  readonly onProgress?: (step: string, done: number, of: number) => void
}

export interface Rollout {
  /** What each host holds now, of what its plan is about; a host that could not be read is missing. */
  readonly held: Readonly<Record<string, HostState>>
  /** What was changed (or, for a failed host, was to be changed). */
  readonly changes: Readonly<Record<string, readonly Change[]>>
  /** One entry a failed host. */
  readonly failures: readonly HostError[]
}

/** Scripts under way at once: more than a small controller's cores, fewer than its sockets. */
const atOnce = 64

/** What every host holds of `plan`'s keys and of overlab's tags; one round trip a host. */
export async function readHosts(
  pool: Pool,
  tasks: Readonly<Record<string, HostTask>>,
  options: RolloutOptions = {},
): Promise<Rollout> {
  const held: Record<string, HostState> = {}
  const failures = await eachHost('read', Object.keys(tasks), options, async (host) => {
    const task = tasks[host]!
    held[host] = await probe(await pool.session(task.target), task.plan, signalOf(options))
  })
  return { held: inOrder(held, tasks), changes: {}, failures }
}

/**
 * Brings every host to its plan. Two round trips a host (read, apply); where routes in use move, four, so that
 * every host can receive by the new way before any host sends by it, and none removes the old way before.
 */
export async function rollOut(
  pool: Pool,
  tasks: Readonly<Record<string, HostTask>>,
  options: RolloutOptions = {},
): Promise<Rollout> {
  const read = await readHosts(pool, tasks, options)
  const held: Record<string, HostState> = { ...read.held }
  const failures = [...read.failures]
  const plans = Object.fromEntries(
    Object.entries(read.held).map(([host, state]) => [host, withLeft(tasks[host]!.plan, state)]),
  )
  const changes = Object.fromEntries(
    Object.entries(read.held).map(([host, state]) => [host, diffState(state, plans[host]!.desired)]),
  )

  const steps: readonly (readonly Phase[])[] = needsBarrier(changes)
    ? phases.map((phase) => [phase])
    : [phases]
  let standing = Object.keys(changes).filter((host) => changes[host]!.length > 0)
  for (const step of steps) {
    const failed = await eachHost(
      steps.length > 1 ? step.join(' ') : 'apply',
      standing,
      options,
      async (host) => {
        const session = await pool.session(tasks[host]!.target)
        await applyChanges(session, changes[host]!, plans[host]!, step, signalOf(options))
      },
    )
    failures.push(...failed)
    const lost = new Set(failed.map((failure) => failure.host))
    standing = standing.filter((host) => !lost.has(host))
  }
  for (const host of standing) held[host] = plans[host]!.desired
  return { held: inOrder(held, tasks), changes, failures }
}

function withLeft(plan: HostPlan, held: HostState): HostPlan {
  return plan.left ? { ...plan, desired: handedOver(plan.desired, plan.left, held) } : plan
}

async function eachHost(
  step: string,
  hosts: readonly string[],
  options: RolloutOptions,
  act: (host: string) => Promise<void>,
): Promise<HostError[]> {
  const limit = pLimit(atOnce)
  const failures: HostError[] = []
  let done = 0
  await Promise.all(
    hosts.map((host) =>
      limit(async () => {
        try {
          options.signal?.throwIfAborted()
          await act(host)
        } catch (error) {
          failures.push(asHostError(error, host, step))
        }
        options.onProgress?.(step, ++done, hosts.length)
      }),
    ),
  )
  return failures.sort((a, b) => hosts.indexOf(a.host) - hosts.indexOf(b.host))
}

function asHostError(error: unknown, host: string, step: string): HostError {
  if (error instanceof HostError) return error
  if (error instanceof Error && error.name === 'AbortError')
    return new HostError({
      host,
      step,
      why: 'was interrupted',
      hint: 'run it again; it continues where it stopped',
    })
  return new HostError(
    { host, step, why: error instanceof Error ? error.message : String(error) },
    { cause: error },
  )
}

function signalOf(options: RolloutOptions): { signal?: AbortSignal } {
  return options.signal ? { signal: options.signal } : {}
}

function inOrder<T>(
  values: Readonly<Record<string, T>>,
  order: Readonly<Record<string, unknown>>,
): Record<string, T> {
  return Object.fromEntries(Object.keys(order).flatMap((key) => (key in values ? [[key, values[key]!]] : [])))
}
