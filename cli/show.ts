import { kinds, type Holding, type Kind } from '../experiments/kinds.ts'
import { readHoldings } from '../experiments/holdings.ts'
import { planLab } from '../overlay/plan.ts'
import { HostError } from '../remote/errors.ts'
import { chosenHosts, labContext, labOptions, notThere } from './context.ts'
import { interrupt } from './interrupt.ts'
import { paint, print, printJson, table } from './output.ts'
import { runningLab } from './running.ts'
import { defineVerb } from './verb.ts'

/** What one host answered; where it did not, why. */
type Answer =
  | { readonly host: string; readonly entries: readonly Holding[] }
  | { readonly host: string; readonly error: string }

export const showVerb = defineVerb({
  usage: ['show KIND [HOST...]'],
  about: [
    "Others' entries are shown beside overlab's. A host that does not answer is told, the others are shown all the same, and the exit status is 1.",
  ],
  choice: { title: 'Kinds', entries: kinds },
  options: { ...labOptions, mine: { value: true, what: 'Only what overlab put there' } },
  words: [1, Infinity],
  examples: [
    { line: 'npx overlab show routes', what: 'every route of every host' },
    { line: 'npx overlab show fdb node1 node2', what: 'the FDB of two hosts' },
    { line: 'npx overlab show iptables --mine', what: "only overlab's rules" },
    {
      line: "npx overlab show routes --json | jq '.[] | {host, n: (.entries | length)}'",
      what: 'for programs',
    },
  ],
  async run({ options, words: [word = '', ...hosts] }) {
    const kind =
      (Object.keys(kinds) as Kind[]).find((one) => one === word) ?? notThere('kind', word, Object.keys(kinds))
    const context = labContext(options)
    const chosen = chosenHosts(context, hosts)
    const plan = planLab(context.inventory)
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
      return answers.some((answer) => 'error' in answer) ? 1 : 0
    } finally {
      await lab.close()
    }
  },
})

function report(kind: Kind, answers: readonly Answer[]): void {
  const entries = answers.flatMap((answer) =>
    'entries' in answer ? answer.entries.map((entry) => ({ ...entry, host: answer.host })) : [],
  )
  if (entries.length > 0) print(draw(kind, entries))
  else if (answers.some((answer) => 'entries' in answer)) process.stderr.write(`no ${kind} there\n`)
  for (const answer of answers) if ('error' in answer) process.stderr.write(`overlab: ${answer.error}\n`)
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
