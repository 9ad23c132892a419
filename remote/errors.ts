import { harmless, harmlessLines, mostOfOurs } from '../inventory/harmless.ts'

/** A failure of one host, with its place. Never thrown for a command that merely exits non-zero, unless asked. */
export interface HostFailure {
  readonly host: string
  /** What overlab was doing: `connect`, `probe`, `apply routes`. */
  readonly step: string
  /** What is wrong, in one sentence without the host's name. */
  readonly why: string
  /** What to do about it, if that can be said. */
  readonly hint?: string
  /** The object that failed, `routes["10.244.2.0/24"]`. */
  readonly object?: string
  /** The command, its exit code and the tail of its standard error, where there is one. */
  readonly command?: string
  readonly exitCode?: number
  readonly stderr?: string
}

/** What the host said stands in its message made harmless; `stderr` alone is as it came. */
export class HostError extends Error implements HostFailure {
  readonly host: string
  readonly step: string
  readonly why: string
  readonly hint?: string
  readonly object?: string
  readonly command?: string
  readonly exitCode?: number
  readonly stderr?: string

  constructor(failure: HostFailure, options?: ErrorOptions) {
    const host = harmless(failure.host)
    const why = harmless(failure.why)
    const object = failure.object === undefined ? undefined : harmless(failure.object)
    const command = failure.command && harmlessLines(failure.command)
    const tail = failure.stderr && lastLines(failure.stderr).join('\n  ')
    // A host key to be copied may stand in it.
    const hint = failure.hint && harmlessLines(failure.hint, mostOfOurs)
    super(
      `${host}: ${[failure.step, object].filter(Boolean).join(' ')}: ${why}` +
        (command ? `\n  command: ${command}` : '') +
        (tail ? `\n  ${tail}` : '') +
        (hint ? `\n  ${hint}` : ''),
      options,
    )
    this.name = 'HostError'
    this.host = failure.host
    this.step = failure.step
    this.why = why
    if (hint !== undefined) this.hint = hint
    if (object !== undefined) this.object = object
    if (command !== undefined) this.command = command
    if (failure.exitCode !== undefined) this.exitCode = failure.exitCode
    if (failure.stderr !== undefined) this.stderr = failure.stderr
  }

  /** Where and why, in one line: for a cell that was not measured, say. */
  get brief(): string {
    return `${this.host}: ${this.step}: ${this.why}`
  }
}

/** The end of an output, made harmless; only the end of a long one is looked at. */
function lastLines(text: string): string[] {
  return text
    .slice(-farBack)
    .trim()
    .split(/\r?\n/)
    .slice(-5)
    .map((line) => harmless(line))
}

/** Characters; five lines of this length in all are no message any more. */
const farBack = 64 * 2 ** 10
