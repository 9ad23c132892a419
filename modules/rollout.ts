/** The same change on many hosts: everything in parallel, no host stops another, no packet lost on the way. */
import pLimit from 'p-limit'
import { HostError } from '../remote/errors.ts'
import type { Pool } from '../remote/pool.ts'
import type { Target } from '../remote/target.ts'
import { applyChanges, diffState, probe, runSteps, type HostPlan } from './apply.ts'
import { stepsOf } from './apply-script.ts'
import { needsBarrier } from './barrier.ts'
import { restored } from './boot/files.ts'
import { withBootFiles } from './boot/restore.ts'
import { arrival, type Care, confirmation, continuation, departure, farewell } from './care.ts'
import { handedOver } from './lent.ts'
import { phases, type Change, type Phase } from './module.ts'
import type { HostState } from './state.ts'
import { overlabCommand } from '../tools/command-line.ts'

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
  return read(pool, withFiles(tasks), options)
}

/** Each plan with the files that restore it at boot. */
function withFiles(tasks: Readonly<Record<string, HostTask>>): Readonly<Record<string, HostTask>> {
  return Object.fromEntries(
    Object.entries(tasks).map(([host, task]) => [
      host,
      { ...task, plan: withBootFiles(task.plan, task.care?.owner) },
    ]),
  )
}

async function read(
  pool: Pool,
  tasks: Readonly<Record<string, HostTask>>,
  options: RolloutOptions,
): Promise<Rollout> {
  const held: Record<string, HostState> = {}
  const failures = await eachHost('read', Object.keys(tasks), options, async (host) => {
    const { target, plan, care } = tasks[host]!
    const first = [...(care ? [arrival] : []), ...(plan.desired.boot || plan.prior.boot ? [restored] : [])]
    held[host] = await probe(await pool.session(target), plan, {
      ...signalOf(options),
      ...(first.length > 0 && { before: first.join('\n') }),
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
  asked: Readonly<Record<string, HostTask>>,
  options: RolloutOptions = {},
): Promise<Rollout> {
  const tasks = withFiles(asked)
  const found = await read(pool, tasks, options)
  const held: Record<string, HostState> = { ...found.held }
  const failures = [...found.failures]
  const plans = Object.fromEntries(
    Object.entries(found.held).map(([host, state]) => [host, withLeft(tasks[host]!.plan, state)]),
  )
  const changes = Object.fromEntries(
    Object.entries(found.held).map(([host, state]) => [host, diffState(state, plans[host]!.desired)]),
  )

  const steps: readonly (readonly Phase[])[] = needsBarrier(changes)
    ? [['prepare'], ['switch'], ['sweep', 'keep']]
    : [phases]
  const course: Course = { pool, tasks, plans, held: found.held, changes, armed: new Set(), options }
  // A host that leaves is given its settings back, also where nothing else is left to do.
  let standing = Object.keys(changes).filter((host) => changes[host]!.length > 0 || leaves(course, host))
  for (const step of steps) {
    const failed = await eachHost(
      steps.length > 1 ? step.join(' ') : 'apply',
      standing,
      options,
      async (host) => {
        try {
          await applyStep(course, host, step)
        } catch (error) {
          const failure = asHostError(error, host, step.join(' '))
          await settle(course, host, failure).catch((late) =>
            failures.push(asHostError(late, host, 'confirm')),
          )
          throw failure
        }
        // At once: a host whose change waits must not wait for another one that hangs.
        if (step === steps.at(-1)) await settle(course, host)
      },
    )
    failures.push(...failed)
    standing = without(standing, failed)
  }
  for (const host of standing) held[host] = plans[host]!.desired
  const told = failures.map((failure) =>
    course.armed.has(failure.host) && isCut(failure) ? undoes(failure, tasks[failure.host]!.care!) : failure,
  )
  return { held: inOrder(held, tasks), changes, failures: told }
}

interface Course {
  readonly pool: Pool
  readonly tasks: Readonly<Record<string, HostTask>>
  readonly plans: Readonly<Record<string, HostPlan>>
  /** Before the first change. */
  readonly held: Readonly<Record<string, HostState>>
  readonly changes: Readonly<Record<string, readonly Change[]>>
  /** Hosts whose change waits to be confirmed. */
  readonly armed: Set<string>
  readonly options: RolloutOptions
}

function leaves({ tasks }: Course, host: string): boolean {
  const { plan, care } = tasks[host]!
  return care !== undefined && Object.keys(plan.desired).length === 0
}

async function applyStep(course: Course, host: string, step: readonly Phase[]): Promise<void> {
  const { pool, armed, options } = course
  const { target, care } = course.tasks[host]!
  const [plan, changes] = [course.plans[host]!, course.changes[host]!]
  const session = await pool.session(target)
  const before =
    care && (armed.has(host) ? continuation(care) : departure(care, changes, course.held[host]!, plan))
  // What is not confirmed is not written to the disk.
  const now = isConfirmed(care) ? step.filter((phase) => phase !== 'keep') : step
  if (isConfirmed(care) && stepsOf(changes, plan, now).length > 0) armed.add(host)
  await applyChanges(session, changes, plan, now, {
    ...signalOf(options),
    ...(before !== undefined && { before }),
  })
}

/** The way to the host broke, and no command of it. */
function isCut({ exitCode, step }: HostError): boolean {
  return exitCode === undefined && step !== 'confirm'
}

function undoes(failure: HostError, { confirm }: Care): HostError {
  const { host, step, why } = failure
  const hint = `the host undoes what was done by itself ${confirm} s after the change began; the next \`${overlabCommand('up')}\` tries again`
  return new HostError({ host, step, why, hint }, { cause: failure })
}

function isConfirmed(care: Care | undefined): boolean {
  return care !== undefined && care.confirm > 0
}

/**
 * The last step on a host that overlab did not make: a change is confirmed by a new connection. So is one that a
 * command's failure ended half-way, as long as the host can be reached: what was done stays, and the next apply does
 * the rest. What is confirmed and whole is written to the disk. A host that leaves gets its settings back.
 */
async function settle(course: Course, host: string, failure?: HostError): Promise<void> {
  const { pool, armed, options } = course
  const { target, plan, care } = course.tasks[host]!
  if (failure?.step === 'save') armed.delete(host)
  if (!care || (failure && isCut(failure))) return
  const confirms = armed.has(host)
  const before = [
    ...(confirms ? [confirmation] : []),
    ...(leaves(course, host) && !failure ? [farewell(plan.prior)] : []),
  ]
  const kept =
    isConfirmed(care) && !failure ? stepsOf(course.changes[host]!, course.plans[host]!, ['keep']) : []
  if (before.length + kept.length === 0) return
  try {
    const session = confirms ? await pool.renew(target) : await pool.session(target)
    await runSteps(session, kept, {
      ...signalOf(options),
      before: before.join('\n'),
      step: kept.length > 0 ? 'apply boot' : 'settle',
    })
  } catch (error) {
    throw confirms && error instanceof HostError && isCut(error) ? outOfReach(error, care) : error
  }
}

function outOfReach(error: HostError, { confirm }: Care): HostError {
  return new HostError(
    {
      host: error.host,
      step: 'confirm',
      why: `the change is made, but the host cannot be reached by a new connection any more (${error.why})`,
      hint: `it undoes the change by itself ${confirm} s after it was made; then find out what of it cut the way (\`overlab plan ${error.host}\`)`,
    },
    { cause: error },
  )
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
