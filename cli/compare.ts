import { mkdirSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { compare } from '../experiments/compare/compare.ts'
import { csvOf } from '../experiments/compare/csv.ts'
import { forms, metricIds, metricNamed, metricsOf, type MetricId } from '../experiments/compare/metrics.ts'
import type { Progress } from '../experiments/compare/tasks.ts'
import { beginProvenance } from '../experiments/provenance.ts'
import { comparison, underlay, type Comparison } from '../experiments/results/comparison.ts'
import { variantNamed, variants, type Variant } from '../experiments/variants/variant.ts'
import { fromRepository } from '../tools/paths.ts'
import { reportOf } from './compare-report.ts'
import { labContext } from './context.ts'
import { addExamples, addList } from './help.ts'
import { interrupt } from './interrupt.ts'
import { jsonOption, stackOption, type LabOptions } from './lab-options.ts'
import { checkOutput, writeOutput } from './output-file.ts'
import { print, printJson } from './output.ts'
import { progress } from './progress.ts'
import { UserError } from './user-error.ts'

/** Relative to the project; `overlab report` reads it. */
const resultFile = '.overlab/results/comparison.json'

export function compareVerb(command: Command): void {
  command
    .description(
      `Builds a lab of its own for every VARIANT, with up to three hosts of the inventory, and measures each in turn, round by round; the hosts' own addresses are measured too, as the baseline. The user's lab is not touched and need not be up; nothing is left, also after Ctrl-C. VARIANT is ${variants.map(({ name }) => name).join(', ')}; all unless told. The selected stack says which inventory.\n\nCells are medians, with the lowest and the highest below; the best variant is green. \`?\` was not measured, with the reason below the table: it is no zero. \`-\`: there is no such thing.`,
    )
    .argument('[VARIANT...]')
    .addOption(stackOption)
    .addOption(jsonOption)
    .option('-r, --rounds <N>', 'Rounds, 1 to 100; default 3, with --quick 1', roundsOf)
    .option('--quick', 'Short looks: a second each instead of three')
    .option('-m, --metric <ID>', 'Only this; may be given again, or as ID,ID', metricsFrom)
    .option('-o, --output <FILE>', `Every sample as JSON; default ${resultFile}`)
    .option('--csv <FILE>', 'Every sample as CSV')
    .action(run)
  addList(
    command,
    'Metrics',
    metricsOf(forms.whole).map(({ id, title, unit }) => [id, unit ? `${title}, ${unit}` : title]),
  )
  addExamples(command, [
    ['./overlab compare', 'all variants, three rounds: some ten minutes'],
    ['./overlab compare --quick', 'one short round: some three minutes'],
    ['./overlab compare vxlan vxlan-flanneld --metric tcp-1,tcp-4', 'one question'],
    ['./overlab compare --csv samples.csv --output samples.json', 'the raw samples'],
  ])
}

interface Options extends LabOptions {
  readonly rounds?: number
  readonly quick?: true
  readonly metric?: readonly MetricId[]
  readonly output?: string
  readonly csv?: string
}

async function run(words: readonly string[], options: Options): Promise<void> {
  const chosen = variantsOf(words)
  const output = options.output ?? fromRepository(resultFile)
  if (options.output === undefined) mkdirSync(dirname(output), { recursive: true })
  checkOutput(output, '--output')
  if (options.csv !== undefined) checkOutput(options.csv, '--csv')
  const context = labContext(options)
  const signal = interrupt()
  const end = beginProvenance(process.argv.slice(2))
  const show = progress('compare')
  try {
    const { offloads, machines, ...compared } = await compare(context, chosen, {
      rounds: options.rounds ?? (options.quick ? 1 : 3),
      metrics: options.metric ?? metricIds,
      form: options.quick ? forms.quick : forms.whole,
      signal,
      onProgress: (state) => show(wordsOf(state)),
    })
    signal.throwIfAborted()
    show()
    const result: Comparison = comparison.parse({
      kind: 'overlab.comparison',
      version: 1,
      provenance: await end({ offloads, machines }),
      ...compared,
    })
    writeOutput(output, `${JSON.stringify(result, undefined, 2)}\n`, '--output')
    if (options.csv !== undefined) writeOutput(options.csv, csvOf(result), '--csv')
    if (options.json) printJson(result)
    else print(`${reportOf(result)}\n\nevery sample: ${relative(process.cwd(), output)}`)
    if (result.samples.some((sample) => 'notMeasured' in sample)) process.exitCode = 1
  } finally {
    show()
  }
}

function wordsOf({ what, done, of, left }: Progress): string {
  const rest = left < 60 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`
  return left > 0 ? `${what}; ${done + 1} of ${of}, some ${rest} left` : what
}

function variantsOf(words: readonly string[]): readonly Variant[] {
  if (words.length === 0) return variants
  if (words.includes(underlay))
    throw new UserError(`${underlay} is the baseline, and always measured`, 'name variants only')
  try {
    const named = words.map(variantNamed)
    return variants.filter(({ name }) => named.some((one) => one.name === name))
  } catch (error) {
    throw new UserError((error as RangeError).message, '')
  }
}

function roundsOf(text: string): number {
  const rounds = Number(text)
  if (/^\d+$/.test(text) && rounds >= 1 && rounds <= 100) return rounds
  throw new InvalidArgumentError('Give 1 to 100.')
}

function metricsFrom(text: string, before: readonly MetricId[] = []): readonly MetricId[] {
  try {
    const named = text.split(',').map(metricNamed)
    return metricIds.filter((id) => before.includes(id) || named.includes(id))
  } catch (error) {
    throw new InvalidArgumentError(`${(error as RangeError).message}.`)
  }
}
