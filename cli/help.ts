/** What stands below commander's own help text: lists to choose from, examples, exit statuses. */
import type { Command } from 'commander'
import { paint, pairs, width, wrap } from './output.ts'
import { asCalled } from '../tools/command-line.ts'

const usual = [
  ['0', 'all is as it should be'],
  ['1', 'something is not: a host is down, a packet is lost, the inventory is wrong'],
  ['2', 'the command line is wrong; nothing was done'],
] as const

/** Commander's own sections have the same form. */
export function addList(command: Command, title: string, rows: readonly (readonly [string, string])[]): void {
  command.addHelpText('after', () => section(title, pairs(rows)))
}

/**
 * @param examples a line as a user types it in the project's folder, and what it does
 * @param statuses where they are others than 0, 1 and 2
 */
export function addExamples(
  command: Command,
  examples: readonly (readonly [line: string, what: string])[],
  statuses?: string,
): void {
  addList(command, 'Examples', examples)
  command.addHelpText('after', () =>
    section(
      'Exit status',
      statuses ? wrap(statuses, width(100) - 2).map((line) => `  ${line}`) : pairs(usual),
    ),
  )
}

function section(title: string, lines: readonly string[]): string {
  return asCalled(['', paint('bold', `${title}:`), ...lines].join('\n'))
}
