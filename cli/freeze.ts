import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, isAbsolute, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { freeze, type Frozen } from '../experiments/freeze/freeze.ts'
import { textOf as refusalsText } from '../experiments/freeze/refusal.ts'
import { enumerate } from '../inventory/mistakes.ts'
import type { Change } from '../modules/module.ts'
import { fromRepository } from '../tools/paths.ts'
import { labContext, type LabContext } from './context.ts'
import { addExamples } from './help.ts'
import { interrupt } from './interrupt.ts'
import { jsonOption, stackOption, type LabOptions } from './lab-options.ts'
import { paint, print, printJson, table } from './output.ts'
import { progress } from './progress.ts'
import { runningLab } from './running.ts'
import { UserError } from './user-error.ts'

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
    .option('-o, --output <FILE>', 'Write it there; else beside the inventory, as NAME-frozen.yaml')
    .option(
      '--check',
      'Write nothing; show what would be written, and the rows that taking over would change',
    )
    .option('--force', 'Overwrite a file that says something else')
    .action(run)
  addExamples(command, [
    ['npx overlab freeze --check', 'what would be written, and what would change'],
    ['npx overlab freeze', 'writes inventory/lab-frozen.yaml'],
    ['npx pulumi config set inventory inventory/lab-frozen.yaml', 'then `npx overlab up` takes over'],
    ['npx pulumi config set control flanneld', 'then `npx overlab up` gives it back'],
  ])
}

async function run({ output, check, force, ...options }: Options): Promise<void> {
  const context = labContext(options)
  const { inventory, overrides } = context
  const file = output ?? besideOf(inventory.file)
  const signal = interrupt()
  const lab = await runningLab(context, signal)
  const show = progress('freeze')
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
      `control: flanneld and npx overlab up put flanneld there; a frozen lab goes back by its inventory of before: npx pulumi config set inventory FILE${stackWords(options)}`,
      1,
    )
  if ('refusals' in frozen)
    throw new UserError(refusalsText(`the lab ${inventory.lab.name}`, frozen.refusals), '', 1)
  const written = check ? 'checked' : write(file, frozen.text, force)
  if (options.json) return printJson(jsonOf(context, frozen, file, written, options))
  print(report(frozen, file, written))
  if (check) return print(`\n${paint('bold', file)}\n${frozen.text.trimEnd()}`)
  const { takeOver, backAgain } = nextSteps(context, frozen, file, options)
  print(`\ntake over:   ${takeOver}\nback again:  ${backAgain}`)
}

/** `inventory/lab.yaml` -> `inventory/lab-frozen.yaml`; one that was frozen before is its own. */
function besideOf(file: string): string {
  const ending = extname(file)
  if (file.endsWith(`-frozen${ending}`)) return file
  return `${file.slice(0, file.length - ending.length)}-frozen${ending || '.yaml'}`
}

type Written = 'written' | 'was there' | 'checked'

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

function report(frozen: Frozen, file: string, written: Written): string {
  const hosts = Object.values(frozen.plan.hosts)
  const changed = Object.entries(frozen.takeover).flatMap(([host, { changes }]) =>
    changes.map((change) => `  ${host}: ${wordsOf(change)}`),
  )
  return [
    table(
      [
        { title: 'HOST', value: ({ name }) => name },
        { title: 'DAEMONS', value: ({ name }) => daemonsOn(frozen, name).join(', ') || '-' },
        { title: 'SUBNET', value: ({ subnet }) => subnet },
        ...(hosts.some(({ vtep }) => vtep)
          ? [{ title: 'VTEP MAC', value: ({ vtep }: (typeof hosts)[number]) => vtep?.mac ?? '-' }]
          : []),
        {
          title: 'SAID BY',
          wraps: true,
          value: ({ name }) => enumerate(frozen.truth[name]!.by) || 'nobody: as in the inventory',
        },
        { title: 'ROWS', align: 'right', value: ({ name }) => String(frozen.takeover[name]!.rows) },
        { title: 'MARKED', align: 'right', value: ({ name }) => String(frozen.takeover[name]!.marks) },
        {
          title: 'CHANGED',
          align: 'right',
          value: ({ name }) => String(frozen.takeover[name]!.changes.length),
        },
      ],
      hosts,
    ),
    '',
    sourceOf(frozen),
    fileWords(frozen, file, written),
    ...takeoverWords(frozen, changed),
  ].join('\n')
}

function daemonsOn({ readings }: Frozen, host: string): string[] {
  return readings
    .find((reading) => reading.host === host)!
    .daemons.map(({ name, overlabs }) => (overlabs ? name : `${name} (not overlab's)`))
    .sort()
}

function sourceOf({ etcd, readings }: Frozen): string {
  return 'keys' in etcd
    ? `read: ${readings.length} kernels, and etcd at ${etcd.endpoint}; they agree`
    : `read: ${readings.length} kernels alone, and they agree; etcd at ${etcd.endpoint} does not answer: ${etcd.why}`
}

function fileWords({ pins }: Frozen, file: string, written: Written): string {
  const said = Object.entries(pins).map(([host, keys]) =>
    [`${host}:`, ...Object.entries(keys).map(([key, value]) => `${key} ${value}`)].join(' '),
  )
  const content = ['control: static', ...said].join('; ')
  return {
    written: `written: ${file} (${content})`,
    'was there': `${file} is there already, and says just that (${content})`,
    checked: `would be written: ${file} (${content})`,
  }[written]
}

const mostLines = 40

function takeoverWords(frozen: Frozen, changed: readonly string[]): string[] {
  const marks = Object.values(frozen.takeover).reduce((sum, one) => sum + one.marks, 0)
  const ends = frozen.readings.flatMap(({ host, daemons }) =>
    daemons.filter(({ overlabs }) => overlabs).map(({ name }) => `${name} on ${host}`),
  )
  const stays = frozen.readings.flatMap(({ host, daemons }) =>
    daemons.filter(({ overlabs }) => !overlabs).map(({ name, pid }) => `${name} on ${host} (pid ${pid})`),
  )
  return [
    `the next up: ${changed.length === 0 ? 'changes no row' : `changes ${changed.length} ${changed.length === 1 ? 'row' : 'rows'}`}, puts overlab's mark on ${marks}, ends ${enumerate(ends, 12) || 'no daemon'}`,
    ...changed.slice(0, mostLines),
    ...(changed.length > mostLines ? [`  ... and ${changed.length - mostLines} more`] : []),
    ...(changed.length > 0 && frozen.plan.lab.overlay.Backend.Type === 'udp'
      ? ["  (udp: flanneld moves the packets itself; these rows hand them over to the kernel's datapath)"]
      : []),
    ...(stays.length > 0 ? [`overlab did not start, and so does not end: ${enumerate(stays, 12)}`] : []),
  ]
}

function wordsOf(change: Change): string {
  const object = `${change.table}[${JSON.stringify(change.key)}]`
  if (change.op === 'add') return `+ ${object} ${change.to}`
  if (change.op === 'delete') return `- ${object} ${change.from}`
  return `~ ${object} ${change.from} -> ${change.to}`
}

/** A stack's configuration goes before the file's `lab.control`: it must not say flanneld where the file holds, and may to give back. */
function nextSteps(
  { inventory, overrides }: LabContext,
  { thawsByConfig }: Frozen,
  file: string,
  options: LabOptions,
): { readonly takeOver: string; readonly backAgain: string } {
  const words = stackWords(options)
  const config = (change: string) => `npx pulumi config ${change}${words}`
  const up = `npx overlab up${words}`
  const use = (which: string) => config(`set inventory ${projectPath(which)}`)
  const control = overrides.control === undefined ? [] : [config('rm control')]
  const back = thawsByConfig
    ? [config('set control flanneld')]
    : [
        use(inventory.file),
        ...(overrides.control === undefined ? [] : [config(`set control ${overrides.control}`)]),
      ]
  return {
    takeOver: [use(file), ...control, up].join(' && '),
    backAgain: [...back, up].join(' && '),
  }
}

function stackWords({ stack }: LabOptions): string {
  return stack === undefined ? '' : ` --stack ${stack}`
}

/** As a stack's configuration names it: from the project's folder, unless it lies elsewhere. */
function projectPath(file: string): string {
  const path = relative(fromRepository(), resolve(file))
  return path.startsWith('..') || isAbsolute(path) ? resolve(file) : path
}

function jsonOf(
  context: LabContext,
  frozen: Frozen,
  output: string,
  written: Written,
  options: LabOptions,
): object {
  const { stack, inventory } = context
  return {
    lab: inventory.lab.name,
    stack,
    inventory: inventory.file,
    output,
    written: written === 'written',
    etcd:
      'keys' in frozen.etcd
        ? { endpoint: frozen.etcd.endpoint, read: true }
        : { ...frozen.etcd, read: false },
    hosts: frozen.readings.map(({ host, daemons }) => ({
      name: host,
      daemons,
      subnet: frozen.truth[host]!.subnet,
      ...(frozen.truth[host]!.vtepMac && { vtepMac: frozen.truth[host]!.vtepMac }),
      saidBy: frozen.truth[host]!.by,
      pins: frozen.pins[host] ?? {},
      takeover: frozen.takeover[host],
      plan: frozen.plan.hosts[host]!.state,
    })),
    text: frozen.text,
    next: nextSteps(context, frozen, output, options),
  }
}
