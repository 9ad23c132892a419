/**
 * The contract of a module. A module knows one kind of kernel state (one table of HostState) and never runs a
 * command itself: it says what to run to read the state, understands the answer, and says what to feed to which
 * tool. `apply.ts` does the rest, once, for all of them.
 */
import type { z } from 'zod'
import type { BootFiles } from './boot/files.ts'
import type { Table, TableName } from './state.ts'

export interface Module {
  readonly table: TableName
  /** What one row is called in a sentence: `route`, `FDB entry`. */
  readonly noun: string
  /**
   * Checks one row at the border (Pulumi's Check, a program's input) and returns its canonical line.
   * Inside, rows are trusted.
   */
  readonly row: z.ZodType<string, Row>
  /**
   * Shell lines that print the present state; JSON where the tool has it. They must succeed (exit 0, no
   * output) where the feature or the device is missing, and must not change anything. They run in a subshell of
   * their own; equal probes of several modules run once.
   */
  probe(scope: Scope): string
  /**
   * The rows of overlab in a probe's output: those tagged as overlab's, and those whose key is in `scope`
   * (a key in `desired` always; one in `prior` only where the line is still the one overlab put there).
   * Rows of others never appear. Lines are canonical, so that equal state is an equal string.
   */
  parse(output: string, scope: Scope): Table
  /** Pure; nothing to do = empty. `diffTable` unless the kind needs more. */
  diff(current: Table, desired: Table): Change[]
  /** What to feed to which tool, for all changes of this module together. */
  render(changes: readonly Change[], scope: Scope): Batch[]
}

export interface Row {
  readonly key: string
  readonly line: string
}

export interface Scope {
  /** What this table shall hold. */
  readonly desired: Table
  /** What overlab last put there, as far as is known (Pulumi's state). */
  readonly prior: Table
  readonly host: HostFacts
  /** Names of the links that overlab has or had on this host (`links` of desired and of prior, less those lent): what is on them is overlab's. */
  readonly links: readonly string[]
  /** Where the host restores its data plane at boot: the files that do it. */
  readonly bootFiles?: BootFiles
}

/** What modules may know of the host beyond their own table. */
export interface HostFacts {
  /** The physical NIC that carries the underlay, `eth0`. */
  readonly nic: string
  /** Which iptables tools to use; `auto` = the host's default `iptables`. */
  readonly iptables: 'auto' | 'nft' | 'legacy'
  /**
   * Given where another program fills the host (lent.ts): the links on which it works (`flannel.1` where flanneld
   * runs). What is on them is that program's, but for the rows that overlab's tables name.
   */
  readonly lent?: readonly string[]
  /** Rows that are as wanted but without overlab's mark are given it: another program is about to leave. */
  readonly claim?: boolean
}

export type Change =
  | { readonly table: TableName; readonly op: 'add'; readonly key: string; readonly to: string }
  | {
      readonly table: TableName
      readonly op: 'change'
      readonly key: string
      readonly from: string
      readonly to: string
    }
  | { readonly table: TableName; readonly op: 'delete'; readonly key: string; readonly from: string }

/**
 * Make before break, across hosts: `prepare` adds all that is needed to receive, `switch` moves the routes
 * (what decides where packets go), `sweep` removes what nothing uses any more. Where a change moves routes
 * that are in use, every host finishes a phase before any host begins the next. `keep` writes down what a boot
 * restores, when all that is done and confirmed.
 */
export const phases = ['prepare', 'switch', 'sweep', 'keep'] as const
export type Phase = (typeof phases)[number]

export interface Batch {
  readonly phase: Phase
  /**
   * One POSIX shell command that reads the lines on standard input: `ip -batch -`, `bridge -batch -`,
   * `iptables-restore --noflush`, `sh -e`. Neighbouring batches of one `... -batch -` command, or of `sh -e`, are
   * fed to one process. Never holds a value that is not shell-safe by its branded type.
   */
  readonly command: string
  readonly lines: readonly BatchLine[]
}

export interface BatchLine {
  readonly text: string
  /** The change this line belongs to; none for a frame such as `COMMIT`. */
  readonly change?: Change
}

/** The batches of rows that are put there in `prepare` and taken away in `sweep`, each by the lines that `textsOf` gives. */
export function prepareAndSweep(
  changes: readonly Change[],
  command: string,
  textsOf: (change: Change) => readonly string[],
): Batch[] {
  const linesOf = (some: readonly Change[]): BatchLine[] =>
    some.flatMap((change) => textsOf(change).map((text) => ({ text, change })))
  return [
    { phase: 'prepare', command, lines: linesOf(changes.filter(({ op }) => op !== 'delete')) },
    { phase: 'sweep', command, lines: linesOf(changes.filter(({ op }) => op === 'delete')) },
  ]
}

/** Rows as a table. */
export function tableOf(rows: Iterable<Row>): Table {
  const table: Record<string, string> = {}
  for (const { key, line } of rows) table[key] = line
  return table
}

/** The changes that turn one table into another: additions and changes in the order of `desired`, then deletions. */
export function diffTable(table: TableName, current: Table, desired: Table): Change[] {
  const changes: Change[] = []
  for (const [key, to] of Object.entries(desired)) {
    const from = current[key]
    if (from === undefined) changes.push({ table, op: 'add', key, to })
    else if (from !== to) changes.push({ table, op: 'change', key, from, to })
  }
  for (const [key, from] of Object.entries(current)) {
    if (desired[key] === undefined) changes.push({ table, op: 'delete', key, from })
  }
  return changes
}
