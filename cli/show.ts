import type { Command } from 'commander'
import { kinds, type Holding, type Kind } from '../experiments/kinds.ts'
import { readHoldings } from '../experiments/holdings.ts'
import { HostError } from '../remote/errors.ts'
import { chosenHosts, labContext, notThere } from './context.ts'
import { addExamples, addList } from './help.ts'
import { interrupt } from './interrupt.ts'
import { jsonOption, quietOption, stackOption, type LabOptions } from './lab-options.ts'
import { complain, paint, print, printJson, table } from './output.ts'
import { plannedLab } from './planned.ts'
import { runningLab } from './running.ts'

/** What one host answered; where it did not, why. */
type Answer =
  | { readonly host: string; readonly entries: readonly Holding[] }
  | { readonly host: string; readonly error: string }

export function showVerb(command: Command): void {
  command
    .description(
      "Others' entries are shown beside overlab's. A host that does not answer is told, the others are shown all the same, and the exit status is 1.",
    )
    .argument('<KIND>')
    .argument('[HOST...]')
    .addOption(stackOption)
    .addOption(jsonOption)
    .addOption(quietOption)
    .option('--mine', 'Only what overlab put there')
    .action(show)
  addList(command, 'Kinds', Object.entries(kinds))
  addExamples(command, [
    ['./overlab show routes', 'every route of every host'],
    ['./overlab show fdb node1 node2', 'the FDB of two hosts'],
    ['./overlab show iptables --mine', "only overlab's rules"],
    ["./overlab show routes --json | jq '.[] | {host, n: (.entries | length)}'", 'for programs'],
  ])
}

async function show(
  word: string,
  hosts: readonly string[],
  options: LabOptions & { readonly mine?: true },
): Promise<void> {
  const kind =
    (Object.keys(kinds) as Kind[]).find((one) => one === word) ?? notThere('kind', word, Object.keys(kinds))
  const context = labContext(options)
  const chosen = chosenHosts(context, hosts)
  const plan = plannedLab(context.inventory)
  const signal = interrupt()
  const lab = await runningLab(context, signal)
  try {
    const answers = await Promise.all(
      chosen.map(async ({ name }): Promise<Answer> => {
        try {
          const held = await readHoldings(await lab.session(name), kind, plan.hosts[name]!, signal)
          return { host: name, entries: options.mine ? held.filter(({ by }) => by === 'overlab') : held }
        } catch (error) {
          if (!(error instanceof HostError)) throw error
          return { host: name, error: error.message }
        }
      }),
    )
    signal.throwIfAborted()
    if (options.json) printJson(answers)
    else report(kind, answers)
    process.exitCode = answers.some((answer) => 'error' in answer) ? 1 : 0
  } finally {
    await lab.close()
  }
}

function report(kind: Kind, answers: readonly Answer[]): void {
  const entries = answers.flatMap((answer) =>
    'entries' in answer ? answer.entries.map((entry) => ({ ...entry, host: answer.host })) : [],
  )
  if (entries.length > 0) print(draw(kind, entries))
  else if (answers.some((answer) => 'entries' in answer)) process.stderr.write(`no ${kind} there\n`)
  for (const answer of answers) if ('error' in answer) complain(answer.error)
}

export function draw(kind: Kind, entries: readonly (Holding & { readonly host: string })[]): string {
  return table(
    [
      { title: 'HOST', value: ({ host }) => host },
      { title: kind.toUpperCase(), wraps: true, value: ({ entry }) => entry },
      { title: 'PUT THERE BY', wraps: true, value: ({ by }) => (by === 'overlab' ? paint('green', by) : by) },
    ],
    entries,
  )
}
