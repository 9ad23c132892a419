/** The only place where modules meet a Session: one round trip to read a host, one to change it. */
import { HostError, type HostFailure } from '../remote/errors.ts'
import type { Session } from '../remote/session.ts'
import { scriptOf, stepsOf, type Step } from './apply-script.ts'
import { moduleOf } from './all.ts'
import { hintFor } from './hint.ts'
import type { HostPlan } from './host-plan.ts'
import type { Change, Phase } from './module.ts'
import { hostFolder } from './owner.ts'
import { failureOf, parseProbe, probeScript, readSections } from './probe-script.ts'
import type { HostState } from './state.ts'
import { overlabCommand } from '../tools/command-line.ts'

export { applyScript } from './apply-script.ts'
export { diffState } from './diff-state.ts'
export type { HostPlan } from './host-plan.ts'
export { parseProbe, probeScript } from './probe-script.ts'

export interface ApplyOptions {
  readonly signal?: AbortSignal
  /** Of the whole script, in ms; the Session's own default unless told. */
  readonly timeoutMs?: number
  /** Shell lines that run first, in the same round trip; see care.ts. */
  readonly before?: string
}

/** What the host holds of overlab's, and under the plan's keys. @throws HostError of step `probe` */
export async function probe(
  session: Pick<Session, 'target' | 'run'>,
  plan: HostPlan,
  options: ApplyOptions = {},
): Promise<HostState> {
  const host = session.target.name
  const { before, ...run } = options
  const script = withBefore(before, probeScript(plan))
  const { stdout, stderr, exitCode } = await session.run(script, { ...run, step: 'probe' })
  if (stdout.startsWith('@overlab packages')) throw new HostError(noPackages(host, stderr))
  const bad = readSections(plan, stdout, stderr).find((section) => section.exitCode !== 0)
  if (bad)
    throw new HostError({
      host,
      step: 'probe',
      why: bad.exitCode === undefined ? `the script ended early; ${failureOf(bad)}` : failureOf(bad),
      command: bad.probe,
      exitCode: bad.exitCode ?? exitCode,
      stderr: bad.stderr.trim() || withoutMarks(stderr),
      ...hintFor(bad.exitCode ?? exitCode, bad.stderr || stderr),
    })
  try {
    return parseProbe(stdout, plan)
  } catch (error) {
    throw new HostError({ host, step: 'probe', why: (error as Error).message }, { cause: error })
  }
}

/**
 * Applies the given phases of the changes, in one round trip (none where there is nothing to do). It stops at the
 * first command that fails; what was done before stays, and the next apply does the rest.
 *
 * @throws HostError of step `apply TABLE` that names the object, the command, its exit code and what it printed
 */
export async function applyChanges(
  session: Pick<Session, 'target' | 'run'>,
  changes: readonly Change[],
  plan: HostPlan,
  phases: readonly Phase[],
  options: ApplyOptions = {},
): Promise<void> {
  const steps = stepsOf(changes, plan, phases)
  if (steps.length === 0) return
  const step = `apply ${[...new Set(steps.flatMap((one) => one.tables))].join(', ')}`
  await runSteps(session, steps, { ...options, step })
}

/**
 * Runs steps in one round trip, none of them too where only what comes `before` is to run.
 *
 * @throws HostError as applyChanges does; of `options.step` where no step of these can be named
 */
export async function runSteps(
  session: Pick<Session, 'target' | 'run'>,
  steps: readonly Step[],
  options: ApplyOptions & { readonly step: string },
): Promise<void> {
  const { before, ...run } = options
  const { step } = run
  const script = withBefore(before, scriptOf(steps))
  const { stdout, stderr, exitCode } = await session.run(script, run)
  const stopped = /^@overlab (not saved|undone)$/m.exec(stdout)?.[1]
  if (stopped)
    throw new HostError({ host: session.target.name, ...(stopped === 'undone' ? tooLate : notSaved), stderr })
  const failed = stdout.match(/^@overlab step (\d+) exit (\d+)$/m)
  if (failed) {
    const own = stderr.split(`@overlab step ${failed[1]}\n`).at(-1) ?? ''
    throw new HostError({
      host: session.target.name,
      ...failureAt(steps[Number(failed[1])]!, Number(failed[2]), own),
      stderr: withoutMarks(stderr),
    })
  }
  if (!/^@overlab done$/m.test(stdout))
    throw new HostError({
      host: session.target.name,
      step,
      why: 'the script ended before its last command',
      exitCode,
      stderr: withoutMarks(stderr),
      hint: 'apply again; it continues where this one stopped',
    })
}

function withBefore(before: string | undefined, script: string): string {
  return before === undefined ? script : `${before}\n${script}`
}

/** Words for what the scripts of care.ts say. */
const notSaved = {
  step: 'save',
  why: 'what it holds now could not be saved, so nothing was changed',
  hint: `free some space in /run on the host (\`df -h /run\`); ${hostFolder} needs a few hundred KiB`,
}
const tooLate = {
  step: 'confirm',
  why: 'the confirmation came too late: the host has undone the change by itself, and holds what it held before',
  hint: 'apply again; give it more time (confirm: 120s) if the host or the way to it is slow',
}

function noPackages(host: string, stderr: string): HostFailure {
  return {
    host,
    step: 'packages',
    why: 'what is missing could not be installed',
    stderr,
    hint: `install it by hand, or mend what apt-get says above; the next \`${overlabCommand('up')}\` tries again`,
  }
}

/** The object whose line failed; the whole step's tables where the tool does not say which line it was. */
function failureAt(
  { command, lines, tables }: Step,
  exitCode: number,
  stderr: string,
): Omit<HostFailure, 'host'> {
  const line = lines[lineOf(stderr) - 1]
  const change = line?.change
  const common = { exitCode, ...hintFor(exitCode, stderr) }
  if (!line || !change)
    return {
      ...common,
      step: `apply ${tables.join(', ')}`,
      why: `\`${command}\` failed`,
      command: line ? `${command}: ${shortened(line.text)}` : command,
    }
  const verb = { add: 'added', change: 'changed', delete: 'deleted' }[change.op]
  return {
    ...common,
    step: `apply ${change.table}`,
    object: `${change.table}[${JSON.stringify(change.key)}]`,
    why: `the ${moduleOf(change.table).noun} could not be ${verb}`,
    command: `${command}: ${shortened(line.text)}`,
  }
}

/** A line may carry a whole file. */
function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)} ... (${text.length} characters)` : text
}

/** Counted from 1; 0 where no tool said it. ip, bridge and tc: "Command failed -:3"; iptables-restore: "line 3 failed", "line: 3". */
function lineOf(stderr: string): number {
  const numbers = [...stderr.matchAll(/Command failed -:(\d+)/g), ...stderr.matchAll(/\bline:? (\d+)/gi)]
  return Number(numbers[0]?.[1] ?? 0)
}

function withoutMarks(stderr: string): string {
  return stderr.replace(/^@overlab .*\n?/gm, '').trim()
}
