import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { Command } from 'commander'
import { freeze } from '../experiments/freeze/freeze.ts'
import { textOf as refusalsText } from '../experiments/freeze/refusal.ts'
import { labContext } from './context.ts'
import { jsonOf, nextSteps, report, type Written } from './freeze-report.ts'
import { addExamples } from './help.ts'
import { interrupt } from './interrupt.ts'
import { jsonOption, quietOption, stackOption, type LabOptions } from './lab-options.ts'
import { paint, print, printJson } from './output.ts'
import { progress } from './progress.ts'
import { runningLab } from './running.ts'
import { UserError } from './user-error.ts'
import { overlabCommand, pulumiCommand } from '../tools/command-line.ts'

interface Options extends LabOptions {
  readonly output?: string
  readonly check?: true
  readonly force?: true
}

export function freezeVerb(command: Command): void {
  command
    .description(
      "Reads every host's kernel and flannel's etcd, compares what they say, and writes an inventory that says `control: static` and whatever the network has otherwise than planned. `overlab up` with it takes the rows over as they are and ends the daemons; nothing is changed on a host before.\n\nWhere etcd does not answer, the kernels are enough. Where two of them contradict each other, or an entry leads to a host that the inventory does not know, each is named, nothing is written, and the exit status is 1.",
    )
    .addOption(stackOption)
    .addOption(jsonOption)
    .addOption(quietOption)
    .option('-o, --output <FILE>', 'Write it there; else beside the inventory, as NAME-frozen.yaml')
    .option(
      '--check',
      'Write nothing; show what would be written, and the rows that taking over would change',
    )
    .option('--force', 'Overwrite a file that says something else')
    .action(run)
  addExamples(command, [
    ['./overlab freeze --check', 'what would be written, and what would change'],
    ['./overlab freeze', 'writes inventory/lab-frozen.yaml'],
    ['npx pulumi config set inventory inventory/lab-frozen.yaml', 'then `./overlab up` takes over'],
    ['npx pulumi config set control flanneld', 'then `./overlab up` gives it back'],
  ])
}

async function run({ output, check, force, ...options }: Options): Promise<void> {
  const context = labContext(options)
  const { inventory, overrides } = context
  const file = output ?? besideOf(inventory.file)
  const signal = interrupt()
  const lab = await runningLab(context, signal)
  const show = progress('freeze', options)
  let frozen
  try {
    const text = readFileSync(inventory.file, 'utf8')
    frozen = await freeze({
      inventory,
      text,
      overrides,
      output: file,
      sessionOf: lab.session,
      signal,
      onProgress: show,
    })
  } finally {
    show()
    await lab.close()
  }
  if (!frozen)
    throw new UserError(
      `no host of the lab ${inventory.lab.name} is under flanneld by ${inventory.file}: there is nothing to freeze`,
      `control: flanneld and ${overlabCommand('up')} put flanneld there; a frozen lab goes back by its inventory of before: ${pulumiCommand('config set inventory FILE')}`,
      1,
    )
  if ('refusals' in frozen)
    throw new UserError(refusalsText(`the lab ${inventory.lab.name}`, frozen.refusals), '', 1)
  const written = check ? 'checked' : write(file, frozen.text, force)
  if (options.json) return printJson(jsonOf(context, frozen, file, written))
  print(report(frozen, file, written))
  if (check) return print(`\n${paint('bold', file)}\n${frozen.text.trimEnd()}`)
  const { takeOver, backAgain } = nextSteps(context, frozen, file)
  print(`\ntake over:   ${takeOver}\nback again:  ${backAgain}`)
}

/** `inventory/lab.yaml` -> `inventory/lab-frozen.yaml`; one that was frozen before is its own. */
function besideOf(file: string): string {
  const ending = extname(file)
  if (file.endsWith(`-frozen${ending}`)) return file
  return `${file.slice(0, file.length - ending.length)}-frozen${ending || '.yaml'}`
}

/** A file that says something else is somebody's work. */
function write(file: string, text: string, force = false): Written {
  if (existsSync(file)) {
    if (readFileSync(file, 'utf8') === text) return 'was there'
    if (!force)
      throw new UserError(
        `${file} is there already and says something else; it was left as it is`,
        'move it away, choose another --output, or overwrite it with --force',
        1,
      )
  }
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new UserError(
      `${file} can not be written: ${(error as Error).message}`,
      'choose another --output',
      1,
    )
  }
  return 'written'
}
