import { harmlessLines, mostOfOurs } from '../inventory/harmless.ts'

/** A user's mistake or a state of the lab that a user can mend: one line, and what to do. Never a stack trace. */
export class UserError extends Error {
  override readonly name = 'UserError'
  /** The process's exit status. 2 is usage, as with Ansible and most of Unix; 1 that something is not as it should be. */
  readonly status: number

  constructor(what: string, todo: string, status = 2) {
    super(harmlessLines(todo ? `${what}; ${todo}` : what, mostOfOurs))
    this.status = status
  }
}
