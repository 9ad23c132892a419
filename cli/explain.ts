import { Option, type Command } from 'commander'
import { explain, type Explained } from '../experiments/explain/explain.ts'
import type { Labs } from '../experiments/explain/labs.ts'
import { createMaker } from '../experiments/explain/made.ts'
import { markdownOf } from '../experiments/explain/markdown.ts'
import type { Question } from '../experiments/explain/question.ts'
import { questions } from '../experiments/explain/questions.ts'
import { controlOf, lastingSessions, type Site } from '../experiments/explain/site.ts'
import { textOf } from '../experiments/explain/text.ts'
import { beginProvenance, machinesOf } from '../experiments/provenance.ts'
import { backends, variantOf, type Backend } from '../experiments/variants/variant.ts'
import type { LabPlan } from '../overlay/plan.ts'
import { labContext, notThere, type LabContext } from './context.ts'
import { addExamples, addList } from './help.ts'
import { interrupt } from './interrupt.ts'
import { jsonOption, quietOption, stackOption, type LabOptions } from './lab-options.ts'
import { paint, print, printJson, width, wrap } from './output.ts'
import { plannedLab } from './planned.ts'
import { progress } from './progress.ts'
import { runningLab, type RunningLab } from './running.ts'
import { UserError } from './user-error.ts'
import { overlabCommand } from '../tools/command-line.ts'

interface Options extends LabOptions {
  readonly all?: true
  readonly labOnly?: true
  readonly backend?: readonly Backend[]
  readonly markdown?: true
}

export function explainVerb(command: Command): void {
  command
    .description(
      'Without a number, the questions and their answers; no host is asked.\n\nWith a number, your lab is asked: the evidence, each command with what it printed; an experiment that rules out the usual wrong answers; and a verdict for each thing that the answer rests on. The verdict is computed from what was seen: where a lab behaves otherwise, the answer is refuted.\n\nExperiments take entries away, and put them back, also after Ctrl-C; at the end the running lab is compared with what it was. What it has not (flanneld, another backend) is tried in labs that are made for it, and taken away again. Daemons are killed only there.',
    )
    .argument('[NUMBER...]')
    .addOption(stackOption)
    .addOption(jsonOption)
    .addOption(quietOption)
    .option('--all', 'All eight')
    .option('--lab-only', 'Only the running lab: no other is made, and what needs one is not measured')
    .addOption(
      new Option(
        '-b, --backend <NAME>',
        'Compare with this backend only, not with all three; may be given again',
      ).argParser((name: string, before: readonly Backend[] = []) => [...before, backendOf(name)]),
    )
    .option('--markdown', 'A page of documentation')
    .action(run)
  addList(
    command,
    'Questions',
    questions.map(({ number, question }) => [String(number), question]),
  )
  addExamples(
    command,
    [
      ['./overlab explain', 'the questions and their answers'],
      ['./overlab explain 3', 'flanneld is killed: why do pods still talk?'],
      ['./overlab explain 1 2 --lab-only', 'two of them, on the running lab alone'],
      ["./overlab explain --all --json | jq '.questions[] | {number, verdict}'", 'for programs'],
    ],
    '0 all is confirmed; 1 something is refuted or was not measured; 2 the command line is wrong, and nothing was done.',
  )
}

async function run(words: readonly string[], options: Options): Promise<void> {
  if (options.json && options.markdown)
    throw new UserError('--json and --markdown exclude each other', 'give one')
  if (options.all && words.length > 0)
    throw new UserError('--all and a number exclude each other', 'give one of them')
  const chosen = options.all ? questions : [...new Set(words)].map(questionOf)
  if (chosen.length === 0) return list(options)
  const context = labContext(options)
  const signal = interrupt()
  const lab = await runningLab(context, signal)
  try {
    await explainAll(chosen, context, lab, signal, options)
  } finally {
    await lab.close()
  }
}

async function explainAll(
  chosen: readonly Question[],
  { inventory }: LabContext,
  lab: RunningLab,
  signal: AbortSignal,
  options: Options,
): Promise<void> {
  const plan = plannedLab(inventory)
  const show = progress('explain', options)
  const endProvenance = beginProvenance(process.argv.slice(2))
  const maker = createMaker(inventory, signal, show)
  const own = siteOf(plan, lab, signal)
  const labs: Labs = {
    own,
    backends: options.backend ?? backends,
    made: options.labOnly
      ? () => Promise.resolve({ notMeasured: 'needs a lab of its own; without --lab-only one is made' })
      : maker.made,
  }
  const explained: Explained[] = []
  try {
    for (const question of chosen) {
      const one = await explain(question, labs, (state) => show(`${question.number}: ${state}`))
      signal.throwIfAborted()
      show()
      explained.push(one)
      if (!options.json && !options.markdown) print(`${textOf(one, wrapped, colours)}\n`)
    }
  } finally {
    await maker.close()
    show()
  }
  const run = async () => ({
    provenance: await endProvenance({ offloads: {}, machines: machinesOf(inventory) }),
    lab: own.name,
  })
  if (options.json) printJson({ ...(await run()), questions: explained })
  if (options.markdown) print(markdownOf({ ...(await run()), explained }).trimEnd())
  process.exitCode = explained.every(isConfirmed) ? 0 : 1
}

function siteOf(plan: LabPlan, lab: RunningLab, signal: AbortSignal): Site {
  const site = { plan, session: lastingSessions(lab.session, signal), signal }
  return { name: variantOf(plan.lab.overlay.Backend.Type, controlOf(site)).name, ...site }
}

function isConfirmed({ verdict, asBefore }: Explained): boolean {
  return verdict === 'confirmed' && 'holds' in asBefore && asBefore.holds
}

function list({ json, markdown }: Options): void {
  if (markdown)
    throw new UserError('--markdown is of questions that were asked', 'give their numbers, or --all')
  if (json) return printJson(questions.map(({ number, question, answer }) => ({ number, question, answer })))
  for (const { number, question, answer } of questions) {
    print(paint('bold', `${number}. ${question}`))
    for (const line of wrapped(answer, 3)) print(`   ${line}`)
  }
  print(`\n${overlabCommand('explain NUMBER')} asks your lab`)
}

/** Sentences; commands and what they print stay whole. */
function wrapped(text: string, indent: number): string[] {
  return wrap(text, width(100) - indent)
}

const colours = {
  title: (text: string) => paint('bold', text),
  good: (text: string) => paint('green', text),
  bad: (text: string) => paint('red', text),
  open: (text: string) => paint('yellow', text),
  quiet: (text: string) => paint('dim', text),
}

function questionOf(word: string): Question {
  return (
    questions.find(({ number }) => String(number) === word) ??
    notThere(
      'question',
      word,
      questions.map(({ number }) => String(number)),
    )
  )
}

function backendOf(word: string): Backend {
  return backends.find((name) => name === word) ?? notThere('backend', word, backends)
}
