import { availableParallelism, loadavg } from 'node:os'
import { relative } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { compare } from '../experiments/compare/compare.ts'
import { csvOf } from '../experiments/compare/csv.ts'
import { forms, metricIds, metricNamed, metricsOf, type MetricId } from '../experiments/compare/metrics.ts'
import { whyBusy } from '../experiments/compare/quiet.ts'
import type { Progress } from '../experiments/compare/tasks.ts'
import { beginProvenance } from '../experiments/provenance.ts'
import { comparison, underlay, type Comparison } from '../experiments/results/comparison.ts'
import { fewestRounds } from '../experiments/results/difference.ts'
import { variantNamed, variants, type Variant } from '../experiments/variants/variant.ts'
import { makeOwnFolder } from '../tools/own-folder.ts'
import { fromRepository } from '../tools/paths.ts'
import { reportOf } from './compare-report.ts'
import { labContext } from './context.ts'
import { duration } from './duration.ts'
import { addExamples, addList } from './help.ts'
import { interrupt } from './interrupt.ts'
import { jsonOption, quietOption, stackOption, type LabOptions } from './lab-options.ts'
import { checkEnding, checkOutput, writeOutput } from './output-file.ts'
import { print, printJson } from './output.ts'
import { progress } from './progress.ts'
import { UserError } from './user-error.ts'

/** Relative to the project; `overlab report` reads it. */
const resultFile = '.overlab/results/comparison.json'

export function compareVerb(command: Command): void {
  command
    .description(
      `Builds a lab of its own for every VARIANT, with up to three hosts of the inventory, and measures each in turn, round by round; the hosts' own addresses are measured too, as the baseline. The user's lab is not touched and need not be up; nothing is left, also after Ctrl-C. VARIANT is ${variants.map(({ name }) => name).join(', ')}; all unless told. The selected stack says which inventory.\n\nCells are medians, with the lowest and the highest below. \`?\` was not measured, with the reason below the table: it is no zero. \`-\`: there is no such thing. From five rounds on a second table compares each backend without flanneld and with it, round by round: the ratio, and the interval in which it lies; where that holds 1, no difference was found. A variant that is better than every other is green.\n\nOther work on this computer is measured too. Where its load is above half of its cores, nothing is begun without --force.`,
    )
    .argument('[VARIANT...]')
    .addOption(stackOption)
    .addOption(jsonOption)
    .addOption(quietOption)
    .option(
      '-r, --rounds <N>',
      'Rounds, 1 to 100; default 5, with --quick 1, from which no claim follows',
      roundsOf,
    )
    .option('--quick', 'Short looks: a second each instead of three')
    .option('--force', 'Also on a busy computer')
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
    ['./overlab compare', 'all variants, five rounds; after the first it says how long the rest takes'],
    ['./overlab compare --quick', 'one short round: a look, without claims'],
    ['./overlab compare vxlan vxlan-flanneld --metric tcp-1,tcp-4', 'one question'],
    ['./overlab compare --csv samples.csv --output samples.json', 'the raw samples'],
  ])
}

interface Options extends LabOptions {
  readonly rounds?: number
  readonly quick?: true
  readonly force?: true
  readonly metric?: readonly MetricId[]
  readonly output?: string
  readonly csv?: string
}

async function run(words: readonly string[], options: Options): Promise<void> {
  const chosen = variantsOf(words)
  const output = options.output ?? fromRepository(resultFile)
  checkEnding(
    output,
    '--output',
    ['.json'],
    'JSON',
    'choose a name that ends in .json; --csv FILE writes CSV too',
  )
  if (options.csv !== undefined) checkEnding(options.csv, '--csv', ['.csv'], 'CSV')
  if (options.output === undefined) makeOwnFolder('results')
  checkOutput(output, '--output')
  if (options.csv !== undefined) checkOutput(options.csv, '--csv')
  const context = labContext(options)
  mustBeQuiet(options)
  const signal = interrupt()
  const end = beginProvenance(process.argv.slice(2))
  const rounds = options.rounds ?? (options.quick ? 1 : fewestRounds)
  const show = progress('compare', options)
  try {
    const { offloads, machines, ...compared } = await compare(context, chosen, {
      rounds,
      metrics: options.metric ?? metricIds,
      form: options.quick ? forms.quick : forms.whole,
      signal,
      onProgress: (state) => show(wordsOf(state)),
      onEstimate({ passed, left }) {
        show()
        const what = rounds === 1 ? 'a fifth' : `round 1 of ${rounds}`
        say(`${what} took ${duration(passed)}; the rest takes some ${duration(left)}`)
      },
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

/** @throws UserError on a busy computer, unless it is forced */
function mustBeQuiet({ force }: Options): void {
  const busy = whyBusy(loadavg()[0]!, availableParallelism())
  if (!busy) return
  if (!force) throw new UserError(busy.what, busy.todo, 1)
  say(`${busy.what}: the ranges will be wide`)
}

/** Standard output is the table's, or JSON. */
function say(words: string): void {
  process.stderr.write(`overlab: ${words}\n`)
}

function wordsOf({ what, done, of, left }: Progress): string {
  return left > 0 ? `${what}; ${done + 1} of ${of}, some ${duration(left)} left` : what
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
