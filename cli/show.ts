import { defineCommand } from 'citty'
import { kinds, readHoldings, type Holding, type Kind } from '../experiments/holdings.ts'
import { HostError } from '../remote/errors.ts'
import { createPool } from '../remote/pool.ts'
import { chosenHosts, labArgs, labContext, labTargets, notThere } from './context.ts'
import { paint, print, printJson, table } from './output.ts'

export const showCommand = defineCommand({
  meta: {
    name: 'show',
    description: `What the kernels hold now, all hosts in one table, and who put each entry there. Examples: overlab show routes; overlab show fdb node1 --json; kinds: ${kinds.join(', ')}`,
  },
  args: {
    ...labArgs,
    kind: { type: 'positional', description: kinds.join(' | '), required: true, valueHint: 'KIND' },
    mine: { type: 'boolean', description: "Only what overlab put there" },
  },
  async run({ args }) {
    const kind = kinds.find((one) => one === args.kind) ?? notThere('kind of entry', args.kind, kinds)
    const context = labContext(args)
    const hosts = chosenHosts(context, args._.slice(1))
    const targets = await labTargets(context)
    const pool = createPool()
    try {
      const read = await Promise.all(hosts.map(({ name }) => readOrSay(() => readHoldings(pool, targets[name]!, kind))))
      const holdings = read.flat().filter(({ by }) => !args.mine || by === 'overlab')
      if (args.json) printJson(holdings)
      else print(draw(kind, holdings))
    } finally {
      await pool.close()
    }
  },
})

/** A host that cannot be read is said and makes the exit status 1; the others are shown all the same. */
async function readOrSay(read: () => Promise<Holding[]>): Promise<Holding[]> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
    return []
  }
}

function draw(kind: Kind, holdings: readonly Holding[]): string {
  return table<Holding>(
    [
      { title: 'HOST', value: ({ host }) => host },
      { title: kind.toUpperCase(), value: ({ entry }) => entry },
      { title: 'PUT THERE BY', value: ({ by }) => (by === 'overlab' ? paint('green', by) : by) },
    ],
    holdings,
  )
}
