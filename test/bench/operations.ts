/** What the operations of a lab take, where the time goes, and the floor to compare with, for one size of lab. */
import { rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import type { Bench, Wish } from './bench-options.ts'
import { breakdown, median, medianOf, parts, type Breakdown } from './breakdown.ts'
import { makeLab, type Run } from './project.ts'
import { floor, pushed, tasksOf, wipe } from './push.ts'
import { seconds, table, type Section } from './table.ts'

export interface Operations {
  readonly hosts: number
  /** The machine's load at the end: what else ran here shows in it. */
  readonly load: number
  /** By operation, in the order in which they ran. */
  readonly operations: Record<string, Breakdown[]>
  /** Milliseconds, one a round. */
  readonly push: {
    overlab: number[]
    openssh: number[]
    up: number[]
    engine: number[]
    connects: number
    roundTrips: number
  }
}

const up = ['up', '--yes', '--skip-preview'] as const
const destroy = ['destroy', '--yes', '--skip-preview'] as const
const machines = (count: number) => ({ hosts: { [`node[1:${count}]`]: null }, vars: { pods: 2 } })

/** A lab of its own, taken away at the end, also after an interrupt. */
export async function measureOperations(
  hosts: number,
  backend: Wish['backend'],
  { rounds, signal, say }: Bench,
): Promise<Operations> {
  // Small labs are quick and their times noisy; large ones are slow.
  const builds = hosts <= 10 ? rounds : 1
  const lab = await makeLab(`x${hosts}`, signal)
  const describe = (Type: string, count = hosts) => lab.describe({ backend: { Type }, all: machines(count) })
  const operations: Record<string, Breakdown[]> = {}
  const push: Operations['push'] = {
    overlab: [],
    openssh: [],
    up: [],
    engine: [],
    connects: 0,
    roundTrips: 0,
  }
  const record = async (operation: string, run: Promise<Run>) => {
    const result = breakdown(await run)
    ;(operations[operation] ??= []).push(result)
    say(`${hosts} hosts: ${operation} ${seconds(result.total)} s`)
  }
  try {
    for (let round = 0; round < builds; round++) {
      describe(backend)
      await record('up from nothing', lab.pulumi(...up))
      if (round < builds - 1) await record('destroy', lab.pulumi(...destroy))
    }
    for (let round = 0; round < rounds; round++) {
      await record('up, nothing to do', lab.pulumi(...up))
      await record('refresh', lab.pulumi('refresh', '--yes', '--skip-preview'))
    }

    const tasks = await tasksOf(lab)
    const mark = join(lab.folder, 'wiped')
    process.env['OVERLAB_BENCH_WIPED'] = mark
    await lab.engine(...up)
    for (let round = 0; round < rounds; round++) {
      // Side by side and in turn, so that what else the machine does meets both alike.
      const own = async () => {
        await wipe(tasks, signal)
        const { ms, connects, roundTrips } = await pushed(tasks, signal)
        push.overlab.push(ms)
        Object.assign(push, { connects: connects / hosts, roundTrips: roundTrips / hosts })
      }
      const peer = async () => {
        await wipe(tasks, signal)
        push.openssh.push(await floor(lab.folder, tasks, signal))
      }
      for (const side of round % 2 === 0 ? [own, peer] : [peer, own]) await side()
      await wipe(tasks, signal)
      await record('up, overlay onto bare machines', lab.pulumi(...up))
      push.up.push(operations['up, overlay onto bare machines']!.at(-1)!.total)
      writeFileSync(mark, '')
      push.engine.push((await lab.engine(...up)).ms)
      rmSync(mark)
      say(
        `${hosts} hosts: push ${seconds(push.overlab.at(-1)!)} s, OpenSSH ${seconds(push.openssh.at(-1)!)} s, engine alone ${seconds(push.engine.at(-1)!)} s`,
      )
    }

    for (let round = 0; round < builds; round++) {
      describe(backend, hosts + 1)
      await record('one host added', lab.pulumi(...up))
      describe(backend)
      await record('one host removed', lab.pulumi(...up))
      describe('host-gw')
      await record(`change of backend: ${backend} to host-gw`, lab.pulumi(...up))
      describe(backend)
      await record(`change of backend: host-gw to ${backend}`, lab.pulumi(...up))
    }
    await record('destroy', lab.pulumi(...destroy))
    return { hosts, load: loadavg()[1]!, operations, push }
  } finally {
    await lab.remove()
  }
}

/** All sizes side by side. */
export function operationSections(results: readonly Operations[]): Section[] {
  const names = [...new Set(results.flatMap(({ operations }) => Object.keys(operations)))]
  const heads = results.map(({ hosts }) => `${hosts} hosts`)
  const each = (name: string, show: (breakdown: Breakdown, hosts: number) => string) =>
    results.map((result) => {
      const samples = result.operations[name]
      return samples ? show(medianOf(samples), result.hosts) : '-'
    })
  const byOperation = (show: (breakdown: Breakdown, hosts: number) => string) =>
    table(
      ['operation', ...heads],
      names.map((name) => [name, ...each(name, show)]),
    )
  const pushRows: readonly (readonly [string, (push: Operations['push']) => number])[] = [
    ['one OpenSSH client a host, one script each (the floor)', (push) => median(push.openssh)],
    ["overlab's roll-out: connect, read, apply", (push) => median(push.overlab)],
    ['the engine alone: the same up, a plugin that does nothing', (push) => median(push.engine)],
    ['floor + engine', (push) => median(push.openssh) + median(push.engine)],
    ['pulumi up, refresh included', (push) => median(push.up)],
  ]
  return [
    ['Seconds', byOperation(({ total }) => seconds(total))],
    [
      'CPU seconds of the engine, the program and the plugin (not of the machines)',
      byOperation(({ cpu }) => seconds(cpu)),
    ],
    [
      'SSH connections and round trips a host',
      byOperation(
        ({ connects, roundTrips }, hosts) => `${rounded(connects / hosts)} / ${rounded(roundTrips / hosts)}`,
      ),
    ],
    [
      'The push of the overlay to machines that hold nothing, seconds',
      table(
        ['', ...heads],
        pushRows.map(([name, value]) => [name, ...results.map(({ push }) => seconds(value(push)))]),
      ),
    ],
    ...results.map(({ hosts, load, operations }): Section => [
      `Where the time goes, ${hosts} hosts, seconds (load of the machine: ${load.toFixed(1)})`,
      table(
        ['operation', 'total', ...parts],
        Object.entries(operations).map(([name, samples]) => {
          const middle = medianOf(samples)
          return [name, seconds(middle.total), ...parts.map((part) => seconds(Math.max(0, middle[part])))]
        }),
      ),
    ]),
  ]
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100)
}
