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
    const place = [failure.step, failure.object].filter(Boolean).join(' ')
    const tail = failure.stderr?.trim().split('\n').slice(-5).join('\n  ')
    super(
      `${failure.host}: ${place}: ${failure.why}` +
        (failure.command ? `\n  command: ${failure.command}` : '') +
        (tail ? `\n  ${tail}` : '') +
        (failure.hint ? `\n  ${failure.hint}` : ''),
      options,
    )
    this.name = 'HostError'
    this.host = failure.host
    this.step = failure.step
    this.why = failure.why
    if (failure.hint !== undefined) this.hint = failure.hint
    if (failure.object !== undefined) this.object = failure.object
    if (failure.command !== undefined) this.command = failure.command
    if (failure.exitCode !== undefined) this.exitCode = failure.exitCode
    if (failure.stderr !== undefined) this.stderr = failure.stderr
  }

  /** Where and why, in one line: for a cell that was not measured, say. */
  get brief(): string {
    return `${this.host}: ${this.step}: ${this.why}`
  }
}
