import { type Command } from 'commander'
import { explain, type Explained } from '../experiments/explain/explain.ts'
import { createMaker } from '../experiments/explain/made.ts'
import type { Question } from '../experiments/explain/question.ts'
import { questions } from '../experiments/explain/questions.ts'
import { controlOf, lastingSessions } from '../experiments/explain/site.ts'
import { textOf } from '../experiments/explain/text.ts'
import { backends, variantOf } from '../experiments/variants/variant.ts'
import { planLab } from '../overlay/plan.ts'
import { labContext, notThere } from './context.ts'
import { addExamples, addList } from './help.ts'
import { interrupt } from './interrupt.ts'
import { jsonOption, stackOption, type LabOptions } from './lab-options.ts'
import { paint, print, printJson, width, wrap } from './output.ts'
import { progress } from './progress.ts'
import { runningLab } from './running.ts'

export function explainVerb(command: Command): void {
  command
    .description('TODO')
    .argument('[NUMBER...]')
    .addOption(stackOption)
    .addOption(jsonOption)
    .option('--all', 'All eight')
    .action(run)
}

async function run(words: readonly string[], options: LabOptions & { readonly all?: true }): Promise<void> {
  const chosen = options.all ? questions : words.map(questionOf)
  const context = labContext(options)
  const plan = planLab(context.inventory)
  const signal = interrupt()
  const lab = await runningLab(context, signal)
  const show = progress('explain')
  try {
    const own = { name: '', plan, session: lastingSessions(lab.session, signal), signal }
    const site = { ...own, name: variantOf(plan.lab.overlay.Backend.Type, controlOf(own)).name }
    const maker = createMaker(context.inventory, signal, show)
    const all: Explained[] = []
    for (const question of chosen) {
      const explained = await explain(question, { own: site, backends, made: maker.made }, (state) =>
        show(`${question.number}: ${state}`),
      )
      show()
      all.push(explained)
      if (!options.json)
        print(`${textOf(explained, (text, indent) => wrap(text, width(100) - indent), colours)}\n`)
    }
    await maker.close()
    if (options.json) printJson(all)
  } finally {
    show()
    await lab.close()
  }
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
