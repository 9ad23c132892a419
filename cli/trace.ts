import { observe } from '../experiments/trace/collect.ts'
import { endNames, endOf, type End } from '../experiments/trace/endpoint.ts'
import { mermaidOf } from '../experiments/trace/mermaid.ts'
import { textOf } from '../experiments/trace/text.ts'
import { traceOf } from '../experiments/trace/trace.ts'
import { planLab, type LabPlan } from '../overlay/plan.ts'
import { labContext, labOptions, notThere } from './context.ts'
import { interrupt } from './interrupt.ts'
import { paint, print, printJson } from './output.ts'
import { progress } from './progress.ts'
import { runningLab } from './running.ts'
import { UserError } from './user-error.ts'
import { defineVerb } from './verb.ts'

export const traceVerb = defineVerb({
  usage: ['trace FROM TO'],
  about: [
    'Sends one echo request and follows it there and back. Each step tells where, what was decided, by which entry of the kernel, who put that entry there, and the command that shows the same; on the NICs of both hosts, the headers from a capture, field by field.',
    'Where no answer comes, the last step and the verdict name the entry that is missing, or where the packet was last seen.',
    "FROM is a pod or a host. TO is a pod, a host's underlay address, or any IPv4 address.",
  ],
  options: {
    ...labOptions,
    mermaid: { value: true, what: 'A Mermaid sequence diagram' },
  },
  words: [2, 2],
  examples: [
    { line: 'npx overlab trace node1-pod1 node2-pod1', what: 'from a pod to one on another host' },
    { line: 'npx overlab trace node1-pod1 node2', what: "to a host's underlay address: masqueraded" },
    { line: 'npx overlab trace node1 node2-pod1 --mermaid', what: 'a diagram for a page' },
    {
      line: "npx overlab trace node1-pod1 node2-pod1 --json | jq '.steps[] | {actor, entry, by}'",
      what: 'for programs',
    },
  ],
  statuses:
    '0: an answer came. 1: none did, or a host is down. 2: the command line is wrong; nothing was done.',
  async run({ options, words: [first = '', second = ''] }) {
    if (options.json && options.mermaid)
      throw new UserError('--json and --mermaid exclude each other', 'give one')
    const context = labContext(options)
    const plan = planLab(context.inventory)
    const [from, to] = endsOf(plan, first, second)
    const signal = interrupt()
    const lab = await runningLab(context, signal)
    const show = progress('trace')
    try {
      const observed = await observe(lab.session, plan, from, to, { signal, onProgress: show })
      show()
      const trace = traceOf(plan, observed, from, to)
      if (options.json) printJson(trace)
      else print(options.mermaid ? mermaidOf(trace) : textOf(trace, colours))
      return trace.verdict.arrived ? 0 : 1
    } finally {
      show()
      await lab.close()
    }
  },
})

const colours = {
  title: (text: string) => paint('bold', text),
  good: (text: string) => paint('green', text),
  bad: (text: string) => paint('red', text),
  quiet: (text: string) => paint('dim', text),
}

function endsOf(plan: LabPlan, first: string, second: string): [End, End] {
  const [from, to] = [endFrom(plan, first), endFrom(plan, second)]
  if (from.name === from.address)
    throw new UserError(
      `${first} is no host and no pod of the lab`,
      'a trace starts where a ping can be sent',
    )
  if (from.address === to.address)
    throw new UserError(`${first} to itself meets no network`, 'name two different ends')
  return [from, to]
}

function endFrom(plan: LabPlan, word: string): End {
  return endOf(plan, word) ?? notThere('host, pod or address', word, endNames(plan))
}
