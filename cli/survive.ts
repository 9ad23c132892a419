import { relative } from 'node:path'
import type { Command } from 'commander'
import { beginProvenance, machinesOf, readOffloads } from '../experiments/provenance.ts'
import { survival, type Cell, type Survival } from '../experiments/results/survival.ts'
import type { Fault } from '../experiments/survive/fault.ts'
import { faults } from '../experiments/survive/faults.ts'
import { variantOfLab } from '../experiments/survive/lab.ts'
import { markdown } from '../experiments/survive/matrix.ts'
import { backends, controls, variants } from '../experiments/variants/variant.ts'
import { makeOwnFolder } from '../tools/own-folder.ts'
import { fromRepository } from '../tools/paths.ts'
import { labContext, notThere } from './context.ts'
import { addExamples, addList } from './help.ts'
import { interrupt } from './interrupt.ts'
import { jsonOption, quietOption, stackOption, type LabOptions } from './lab-options.ts'
import { checkEnding, checkOutput, writeOutput } from './output-file.ts'
import { complain, print, printJson, table } from './output.ts'
import { plannedLab } from './planned.ts'
import { progress } from './progress.ts'
import { readResult } from './result-file.ts'
import { strikeHere, strikeScratch, type Run } from './survive-labs.ts'
import { textOf } from './survive-text.ts'
import { UserError } from './user-error.ts'

/** Relative to the project; `overlab report` reads it. */
const resultFile = '.overlab/results/survival.json'

interface Options extends LabOptions {
  readonly fault?: readonly string[]
  readonly backend?: readonly string[]
  readonly control?: readonly string[]
  readonly here?: true
  readonly list?: true
  readonly markdown?: true
  readonly from?: string
  readonly output?: string
}

export function surviveVerb(command: Command): void {
  command
    .description(
      'Does faults to labs while pods of every pair of hosts ping each other 100 times a second, and tells what each cost: packets lost, the longest time without an answer, and whether it healed by itself, by `pulumi up`, or never.\n\nEach variant (a backend, filled by overlab or by flanneld) gets a lab of its own with the hosts and pods of your inventory, and it is taken away again; your lab is not touched. With --here the faults are done to your running lab, which is as before afterwards.\n\nThe whole matrix takes long on a busy computer: a terminal shows which cell is measured, of how many. It is also written to a file that `overlab report` reads.',
    )
    .addOption(stackOption)
    .addOption(jsonOption)
    .addOption(quietOption)
    .option('-f, --fault <ID...>', 'These faults only')
    .option('-b, --backend <NAME...>', `These backends only: ${backends.join(', ')}`)
    .option('-c, --control <NAME...>', `These only: ${controls.join(', ')}`)
    .option('--here', 'Strikes the running lab, with its own backend and control')
    .option('-o, --output <FILE>', `The result as JSON; default ${resultFile}, of the whole matrix only`)
    .option('--from <FILE>', 'Shows the result in a file that --output wrote, and measures nothing')
    .option('--markdown', 'The matrix, and what was found out, for a page')
    .option('--list', 'Lists the faults')
    .action(survive)
  addList(
    command,
    'Faults',
    faults.map(({ id, title }) => [id, title]),
  )
  addExamples(
    command,
    [
      ['./overlab survive', 'the whole matrix'],
      [
        './overlab survive --fault kill-all flush-fdb --backend vxlan',
        'two faults, vxlan static and by flanneld',
      ],
      ['./overlab survive --here --fault nic-down', 'the running lab'],
      ['./overlab survive --markdown --from .overlab/results/survival.json', 'the last result as a page'],
    ],
    '0 where every cell was measured and healed; 1 where one was not, or did not heal; 2 where the command line is wrong.',
  )
}

async function survive(options: Options): Promise<void> {
  if (options.json && options.markdown)
    throw new UserError('--json and --markdown exclude each other', 'give one')
  const chosen = choose('fault', options.fault, faults, ({ id }) => id)
  if (options.list) return list(chosen, options)
  const result =
    options.from === undefined
      ? await measure(chosen, options)
      : readResult(options.from, survival, 'survive')
  if (options.json) printJson(result)
  else print(options.markdown ? markdown(result, lessonOf) : textOf(result))
  if (result.cells.some((cell) => 'notMeasured' in cell || ('heals' in cell && cell.heals === 'never')))
    process.exitCode = 1
}

function lessonOf(fault: string): string {
  return faults.find(({ id }) => id === fault)?.lesson ?? ''
}

function list(chosen: readonly Fault[], { json }: Options): void {
  if (json) return printJson(chosen.map(({ id, title, what }) => ({ id, title, what })))
  print(
    table(
      [
        { title: 'FAULT', value: ({ id }: Fault) => id },
        { title: '', value: ({ title }) => title },
        { title: '', value: ({ what }) => what, wraps: true },
      ],
      chosen,
    ),
  )
}

/** Those of `all` that the words name, in their order; all where there are no words. @throws UserError */
function choose<Item>(
  kind: string,
  words: readonly string[] | undefined,
  all: readonly Item[],
  nameOf: (item: Item) => string,
): readonly Item[] {
  const known = all.map(nameOf)
  for (const word of words ?? []) if (!known.includes(word)) notThere(kind, word, known)
  return words ? all.filter((item) => words.includes(nameOf(item))) : all
}

async function measure(chosen: readonly Fault[], options: Options): Promise<Survival> {
  const [someBackends, someControls] = [
    choose('backend', options.backend, backends, String),
    choose('control', options.control, controls, String),
  ]
  if (options.here && (options.backend ?? options.control))
    throw new UserError(
      'the running lab has a backend and a control of its own',
      'leave out --backend and --control, or --here',
    )
  const context = labContext(options)
  const plan = plannedLab(context.inventory)
  if (Object.values(plan.hosts).filter(({ pods }) => pods.length > 0).length < 2)
    throw new UserError('no two hosts of the lab have pods', 'add some to the inventory', 1)
  const columns = options.here
    ? [variantOfLab(plan)]
    : variants.filter(
        ({ backend, control }) => someBackends.includes(backend) && someControls.includes(control),
      )
  const output =
    options.output ??
    (columns.length * chosen.length === variants.length * faults.length ? defaultOutput() : undefined)
  if (output !== undefined) {
    checkEnding(output, '--output', ['.json'], 'JSON')
    checkOutput(output, '--output')
  }
  const signal = interrupt()
  const endProvenance = beginProvenance(process.argv.slice(2))
  const show = progress('survive', options)
  const cells: Cell[] = []
  const offloads: Survival['provenance']['offloads'] = {}
  const total = columns.length * chosen.length
  try {
    for (const variant of columns) {
      const run: Run = {
        signal,
        onCell: (cell) => cells.push(cell),
        onProgress: ({ fault, state }) =>
          show(`${variant.name}, ${fault.id}, ${cells.length + 1} of ${total}${state && `: ${state}`}`),
        onState: (state) => show(`${variant.name}: ${state}`),
        onLab: async ({ session, plan: { hosts } }) => {
          offloads[variant.name] = await readOffloads(session, Object.values(hosts)[0]!)
        },
      }
      await (options.here
        ? strikeHere(context, plan, variant, chosen, run)
        : strikeScratch(context, variant, chosen, run))
    }
  } finally {
    show()
  }
  const result = survival.parse({
    kind: 'overlab.survival',
    version: 1,
    provenance: await endProvenance({ offloads, machines: machinesOf(context.inventory) }),
    lab: context.inventory.lab.name,
    variants: columns.map(({ name, backend, control }) => ({ name, backend, control })),
    faults: chosen.map(({ id, title, what }) => ({ id, title, what })),
    cells,
  })
  if (output !== undefined) {
    writeOutput(output, `${JSON.stringify(result, undefined, 2)}\n`, '--output')
    complain(`the result is in ${relative(process.cwd(), output)}`)
  }
  return result
}

/** A part of the matrix would hide the last whole one from the report. */
function defaultOutput(): string {
  makeOwnFolder('results')
  return fromRepository(resultFile)
}
