import type { PropertyChange } from './diff.ts'
import type { Log } from './log.ts'
import type { Values } from './values.ts'

/** What a handler knows of the call besides its arguments. */
export interface Context {
  /** The resource's type token, `command:local:Command`, or the function's. */
  readonly type: string
  /** The resource's name in the program; empty for functions. */
  readonly name: string
  readonly urn: string
  /** True in `pulumi preview`: nothing may be changed, and inputs may be unknown. */
  readonly preview: boolean
  /** Seconds that `customTimeouts` allows; 0 = no limit of its own. */
  readonly timeout: number
  /** Aborted when the engine cancels the operation, or goes away. */
  readonly signal: AbortSignal
  readonly log: Log
}

export interface CheckFailure {
  /** Path of the wrong input, `hosts.node1.routes`; empty for the resource as a whole. */
  readonly property: string
  readonly reason: string
}

export interface CheckResult {
  /** The inputs with defaults filled in; they become the `news` of diff, create and update. */
  readonly inputs: Values
  readonly failures?: readonly CheckFailure[]
}

export interface DiffResult {
  /** Every property that changes and only those; empty = nothing to do. `diffValues` makes the list. */
  readonly changes: readonly PropertyChange[]
  /** For a replacement: delete the old object first. Default: create the new one first. */
  readonly deleteBeforeReplace?: boolean
}

export interface DiffContext extends Context {
  /** The inputs of the last successful operation; `olds` are its outputs. */
  readonly oldInputs: Values
}

/**
 * The life of one resource type. `olds` and `state` are the outputs of the last operation, `news` and `inputs` what
 * the program asks for, checked. Outputs are the whole state: the inputs, and whatever was learnt.
 * A thrown error fails the operation with the error's message; `PartialFailure` keeps what was reached.
 */
export interface ResourceHandlers {
  /** Default: every input is accepted as it is. */
  check?(olds: Values, news: Values, context: Context): CheckResult | Promise<CheckResult>
  /** Default: the inputs compared with the old inputs, each change an update. */
  diff?(id: string, olds: Values, news: Values, context: DiffContext): DiffResult | Promise<DiffResult>
  /** In a preview the id may be empty, and outputs not known yet are left out or `unknown`. */
  create(news: Values, context: Context): Promise<{ readonly id: string; readonly outputs: Values }>
  /** The live state; `undefined`: the object is gone. Default: the state is taken to be what it was. */
  read?(
    id: string,
    state: Values,
    inputs: Values,
    context: Context,
  ): Promise<{ readonly id?: string; readonly outputs: Values; readonly inputs?: Values } | undefined>
  /** Returns the new outputs. */
  update?(id: string, olds: Values, news: Values, context: DiffContext): Promise<Values>
  /** Default: nothing to do. */
  delete?(id: string, olds: Values, context: DiffContext): Promise<void>
}

/** A function of the plugin (`invoke`): its arguments in, its result out. */
export type FunctionHandler = (args: Values, context: Context) => Promise<Values>

export interface Plugin {
  readonly name: string
  readonly version: string
  /** The package schema as JSON text; read only when the engine asks. */
  readonly schema?: () => string | Promise<string>
  /**
   * True: inputs come with their secrets marked (`isSecret`), and outputs must be marked by the handlers.
   * False (default): the engine takes the marks off and puts them back on the outputs of the same name.
   */
  readonly acceptSecrets?: boolean
  readonly resources: Readonly<Record<string, ResourceHandlers>>
  readonly functions?: Readonly<Record<string, FunctionHandler>>
  /** The provider's own configuration; default: any is accepted. */
  checkConfig?(olds: Values, news: Values): CheckResult | Promise<CheckResult>
  configure?(config: Values): void | Promise<void>
  /** Called once before the process ends, with all work aborted: close what is open. */
  close?(): void | Promise<void>
}
