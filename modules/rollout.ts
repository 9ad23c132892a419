/** The same change on many hosts: everything in parallel, no host stops another, no packet lost on the way. */
import pLimit from 'p-limit'
import { HostError } from '../remote/errors.ts'
import type { Pool } from '../remote/pool.ts'
import type { Target } from '../remote/target.ts'
import { applyChanges, diffState, probe, tooLate, type HostPlan } from './apply.ts'
import { stepsOf } from './apply-script.ts'
import { needsBarrier } from './barrier.ts'
import { arrival, type Care, confirmation, continuation, departure, farewell } from './care.ts'
import { handedOver } from './lent.ts'
import { phases, type Change, type Phase } from './module.ts'
import type { HostState } from './state.ts'

export interface HostTask {
  readonly target: Target
  readonly plan: HostPlan
  /** Of a host that overlab did not make. */
  readonly care?: Care
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
    held[host] = await probe(await pool.session(task.target), task.plan, {
      ...signalOf(options),
      ...(task.care && { before: arrival }),
    })
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
  const changing = Object.keys(changes).filter((host) => changes[host]!.length > 0)
  /** Hosts whose change waits to be confirmed. */
  const armed = new Set<string>()
  let standing = changing
  for (const step of steps) {
    const failed = await eachHost(
      steps.length > 1 ? step.join(' ') : 'apply',
      standing,
      options,
      async (host) => {
        const { target, care } = tasks[host]!
        const plan = plans[host]!
        const session = await pool.session(target)
        const before =
          care && (armed.has(host) ? continuation(care) : departure(care, changes[host]!, held[host]!, plan))
        if (care && care.confirm > 0 && stepsOf(changes[host]!, plan, step).length > 0) armed.add(host)
        await applyChanges(session, changes[host]!, plan, step, {
          ...signalOf(options),
          ...(before !== undefined && { before }),
        })
      },
    )
    failures.push(...failed)
    for (const { host, step } of failed) if (step === 'save') armed.delete(host)
    standing = without(standing, failed)
  }
  const lost = await settle(pool, tasks, { armed, changing, standing, failures }, options)
  failures.push(...lost)
  standing = without(standing, lost)
  for (const host of standing) held[host] = plans[host]!.desired
  const told = failures.map((failure) =>
    armed.has(failure.host) && isCut(failure) ? undoes(failure, tasks[failure.host]!.care!) : failure,
  )
  return { held: inOrder(held, tasks), changes, failures: told }
}

/** The way to the host broke, and no command of it. */
function isCut({ exitCode, step }: HostError): boolean {
  return exitCode === undefined && step !== 'confirm'
}

function undoes(failure: HostError, { confirm }: Care): HostError {
  const { host, step, why } = failure
  const hint = `the host undoes what was done by itself ${confirm} s after the change began; the next \`overlab up\` tries again`
  return new HostError({ host, step, why, hint }, { cause: failure })
}

/**
 * The last step on hosts that overlab did not make: a change is confirmed by a new connection. So is one that a
 * command's failure ended half-way, as long as the host can be reached: what was done stays, and the next apply does
 * the rest. A host that leaves gets its settings back.
 */
async function settle(
  pool: Pool,
  tasks: Readonly<Record<string, HostTask>>,
  {
    armed,
    changing,
    standing,
    failures,
  }: {
    readonly armed: ReadonlySet<string>
    readonly changing: readonly string[]
    readonly standing: readonly string[]
    readonly failures: readonly HostError[]
  },
  options: RolloutOptions,
): Promise<HostError[]> {
  const cut = new Set(failures.filter(isCut).map(({ host }) => host))
  const leaves = (host: string) => Object.keys(tasks[host]!.plan.desired).length === 0
  const hosts = Object.keys(tasks).filter(
    (host) =>
      tasks[host]!.care &&
      !cut.has(host) &&
      (armed.has(host) || (leaves(host) && (standing.includes(host) || !changing.includes(host)))),
  )
  const lost = await eachHost('confirm', hosts, options, async (host) => {
    const { target, plan, care } = tasks[host]!
    const last = leaves(host) && !failures.some((failure) => failure.host === host)
    const { stdout } = await confirmed(
      pool,
      tasks[host]!,
      last ? farewell(plan.prior) : confirmation,
      options,
    )
    if (armed.has(host) && care!.confirm > 0 && !stdout.includes('@overlab confirmed'))
      throw new HostError({ host: target.name, ...tooLate })
  })
  return lost
}

async function confirmed(pool: Pool, { target, care }: HostTask, script: string, options: RolloutOptions) {
  try {
    const session = await pool.renew(target)
    return await session.run(script, { ...signalOf(options), step: 'confirm' })
  } catch (error) {
    if (!(error instanceof HostError) || care!.confirm === 0) throw error
    throw new HostError(
      {
        host: target.name,
        step: 'confirm',
        why: `the change is made, but the host cannot be reached by a new connection any more (${error.why})`,
        hint: `it undoes the change by itself ${care!.confirm} s after it was made; then find out what of it cut the way (\`overlab plan ${target.name}\`)`,
      },
      { cause: error },
    )
  }
}

function without(hosts: readonly string[], failures: readonly HostError[]): string[] {
  const lost = new Set(failures.map(({ host }) => host))
  return hosts.filter((host) => !lost.has(host))
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
