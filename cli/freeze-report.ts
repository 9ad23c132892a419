/** What `overlab freeze` prints: for people, for programs, and the commands that come next. */
import { isAbsolute, relative, resolve } from 'node:path'
import type { Frozen } from '../experiments/freeze/freeze.ts'
import { enumerate } from '../inventory/mistakes.ts'
import type { Change } from '../modules/module.ts'
import { fromRepository } from '../tools/paths.ts'
import type { LabContext } from './context.ts'
import { table } from './output.ts'
import { overlabCommand, pulumiCommand } from '../tools/command-line.ts'

/** What became of the file. */
export type Written = 'written' | 'was there' | 'checked'

/** A table of the hosts, what was read and written, and what the next `up` does. */
export function report(frozen: Frozen, file: string, written: Written): string {
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
export function nextSteps(
  { inventory, overrides }: LabContext,
  { thawsByConfig }: Frozen,
  file: string,
): { readonly takeOver: string; readonly backAgain: string } {
  const config = (change: string) => pulumiCommand(`config ${change}`)
  const up = overlabCommand('up')
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

/** As a stack's configuration names it: from the project's folder, unless it lies elsewhere. */
function projectPath(file: string): string {
  const path = relative(fromRepository(), resolve(file))
  return path.startsWith('..') || isAbsolute(path) ? resolve(file) : path
}

export function jsonOf(context: LabContext, frozen: Frozen, output: string, written: Written): object {
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
    next: nextSteps(context, frozen, output),
  }
}
