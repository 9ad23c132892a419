import type { Command } from 'commander'
import { observe } from '../experiments/trace/collect.ts'
import { endNames, endOf, type End } from '../experiments/trace/endpoint.ts'
import { mermaidOf } from '../experiments/trace/mermaid.ts'
import { textOf } from '../experiments/trace/text.ts'
import { traceOf } from '../experiments/trace/trace.ts'
import type { LabPlan } from '../overlay/plan.ts'
import { labContext, notThere } from './context.ts'
import { addExamples } from './help.ts'
import { interrupt } from './interrupt.ts'
import { jsonOption, quietOption, stackOption, type LabOptions } from './lab-options.ts'
import { paint, print, printJson } from './output.ts'
import { plannedLab } from './planned.ts'
import { progress } from './progress.ts'
import { runningLab } from './running.ts'
import { UserError } from './user-error.ts'

export function traceVerb(command: Command): void {
  command
    .description(
      "Sends one echo request and follows it there and back. Each step tells where, what was decided, by which entry of the kernel, who put that entry there, and the command that shows the same; on the NICs of both hosts, the headers from a capture, field by field.\n\nWhere no answer comes, the last step and the verdict name the entry that is missing, or where the packet was last seen; the exit status is then 1.\n\nFROM is a pod or a host. TO is a pod, a host's underlay address, or any IPv4 address.",
    )
    .argument('<FROM>')
    .argument('<TO>')
    .addOption(stackOption)
    .addOption(jsonOption)
    .addOption(quietOption)
    .option('--mermaid', 'A Mermaid sequence diagram')
    .action(trace)
  addExamples(command, [
    ['./overlab trace node1-pod1 node2-pod1', 'from a pod to one on another host'],
    ['./overlab trace node1-pod1 node2', "to a host's underlay address: masqueraded"],
    ['./overlab trace node1 node2-pod1 --mermaid', 'a diagram for a page'],
    ["./overlab trace node1-pod1 node2-pod1 --json | jq '.steps[] | {actor, entry, by}'", 'for programs'],
  ])
}

async function trace(
  first: string,
  second: string,
  { mermaid, ...options }: LabOptions & { readonly mermaid?: true },
): Promise<void> {
  if (options.json && mermaid) throw new UserError('--json and --mermaid exclude each other', 'give one')
  const context = labContext(options)
  const plan = plannedLab(context.inventory)
  const [from, to] = endsOf(plan, first, second)
  const signal = interrupt()
  const lab = await runningLab(context, signal)
  const show = progress('trace', options)
  try {
    const observed = await observe(lab.session, plan, from, to, { signal, onProgress: show })
    show()
    const traced = traceOf(plan, observed, from, to)
    if (options.json) printJson(traced)
    else print(mermaid ? mermaidOf(traced) : textOf(traced, colours))
    if (!traced.verdict.arrived) process.exitCode = 1
  } finally {
    show()
    await lab.close()
  }
}

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
