import { defineCommand } from 'citty'
import { observe } from '../experiments/trace/collect.ts'
import { endNames, endOf, type End } from '../experiments/trace/endpoint.ts'
import { mermaidOf } from '../experiments/trace/mermaid.ts'
import { textOf } from '../experiments/trace/text.ts'
import { traceOf } from '../experiments/trace/trace.ts'
import { createPool } from '../remote/pool.ts'
import { labArgs, labContext, labTargets, notThere, type LabContext } from './context.ts'
import { paint, print, printJson } from './output.ts'
import { progress } from './progress.ts'
import { UserError } from './user-error.ts'

export const traceCommand = defineCommand({
  meta: {
    name: 'trace',
    description:
      'Follows one packet there and back, and shows every decision with the kernel entry that made it and who put it there; of a broken path, the entry that is missing. Exit status 1 if no answer came. Examples: overlab trace node1-pod1 node2-pod1; overlab trace node1-pod1 192.168.77.2 --json; overlab trace node1 node2-pod1 --mermaid',
  },
  args: {
    ...labArgs,
    from: { type: 'positional', description: 'A pod or a host', required: true, valueHint: 'FROM' },
    to: {
      type: 'positional',
      description: 'A pod, a host or an IPv4 address',
      required: true,
      valueHint: 'TO',
    },
    mermaid: { type: 'boolean', description: 'A Mermaid sequence diagram' },
  },
  async run({ args }) {
    if (args.json && args.mermaid)
      throw new UserError('--json and --mermaid exclude each other', 'give one of them')
    const context = labContext(args)
    const [from, to] = endsOf(context, args.from, args.to)
    const targets = await labTargets(context)
    const pool = createPool()
    const interrupted = new AbortController()
    const stop = () => interrupted.abort()
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
    const show = progress('trace')
    try {
      const observed = await observe(pool, context.plan, targets, from, to, {
        signal: interrupted.signal,
        onProgress: show,
      })
      show()
      const trace = traceOf(context.plan, observed, from, to)
      if (!trace.verdict.arrived) process.exitCode = 1
      if (args.json) printJson(trace)
      else if (args.mermaid) print(mermaidOf(trace))
      else print(textOf(trace, colours))
    } catch (error) {
      show()
      if (interrupted.signal.aborted) throw new UserError('interrupted', 'the captures were ended', 130)
      throw error
    } finally {
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
      await pool.close()
    }
  },
})

const colours = {
  title: (text: string) => paint('bold', text),
  good: (text: string) => paint('green', text),
  bad: (text: string) => paint('red', text),
  quiet: (text: string) => paint('dim', text),
}

function endsOf({ plan }: LabContext, ...words: [string, string]): [End, End] {
  const [from, to] = words.map(
    (word) => endOf(plan, word) ?? notThere('host, pod or address', word, endNames(plan)),
  ) as [End, End]
  if (from.kind === 'outside')
    throw new UserError(
      `${from.name} is not in the lab`,
      `a trace starts at a host or a pod: ${endNames(plan).join(', ')}`,
    )
  if (from.address === to.address)
    throw new UserError(`${from.name} to itself goes nowhere`, 'name two different ends')
  return [from, to]
}
