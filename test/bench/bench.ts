#!/usr/bin/env node
/**
 * `npm run bench [-- SIZE... data-plane --rounds N --minutes N --json FILE]`: what each operation takes on labs of 3, 10,
 * 30 and 50 machines, where the time goes, and the floor to compare with, all in one run; then the data plane, static
 * against flanneld. It makes labs of its own and takes them away, also on Ctrl-C.
 */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pulumiVersion } from '../../tools/versions.ts'
import { breakdown, median, medianOf, parts, type Breakdown } from './breakdown.ts'
import { measureDataPlane, ratioRows, type DataPlane } from './data-plane.ts'
import { makeLab, type Lab, type Run } from './project.ts'
import { floor, pushed, tasksOf, wipe } from './push.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '20' },
    json: { type: 'string' },
    backend: { type: 'string', default: 'vxlan' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (options.help) {
  console.log('npm run bench [-- 3 10 30 50 data-plane --rounds 3 --backend vxlan --minutes 20 --json FILE]')
  process.exit()
}
const wanted = positionals.length > 0 ? positionals : ['3', '10', '30', '50', 'data-plane']
const withDataPlane = wanted.includes('data-plane')
const sizes = wanted.filter((part) => part !== 'data-plane').map(Number)
const rounds = Number(options.rounds)
const backend = options.backend as 'vxlan' | 'udp'
if (
  !sizes.every((size) => Number.isInteger(size) && size >= 2 && size <= 200) ||
  !(rounds >= 1) ||
  !['vxlan', 'udp'].includes(backend)
) {
  console.error(
    'bench: give sizes from 2 to 200, and data-plane; --rounds is 1 or more, --backend is vxlan or udp',
  )
  process.exit(2)
}
const deadline = performance.now() + Number(options.minutes) * 60_000

interface Result {
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
let current: Pick<Lab, 'remove'> | undefined
let isInterrupted = false

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    isInterrupted = true
    console.error(`\nbench: ${signal}; taking the lab away`)
    void Promise.resolve(current?.remove()).finally(() => process.exit(130))
  })

async function measure(hosts: number): Promise<Result> {
  // Small labs are quick and their times noisy; large ones are slow.
  const builds = hosts <= 10 ? rounds : 1
  const lab = await makeLab(`bench${process.pid}x${hosts}`, `10.99.${process.pid % 250}.0/24`)
  current = lab
  const operations: Record<string, Breakdown[]> = {}
  const push: Result['push'] = { overlab: [], openssh: [], up: [], engine: [], connects: 0, roundTrips: 0 }
  const record = async (operation: string, run: Promise<Run>) => {
    const result = breakdown(await run)
    ;(operations[operation] ??= []).push(result)
    console.error(`bench: ${hosts} hosts: ${operation} ${seconds(result.total)} s`)
  }
  try {
    for (let round = 0; round < builds; round++) {
      lab.describe({ hosts, backend })
      await record('up from nothing', lab.pulumi(...up))
      if (round < builds - 1) await record('destroy', lab.pulumi('destroy', '--yes', '--skip-preview'))
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
        await wipe(tasks)
        const { ms, connects, roundTrips } = await pushed(tasks)
        push.overlab.push(ms)
        Object.assign(push, { connects: connects / hosts, roundTrips: roundTrips / hosts })
      }
      const peer = async () => {
        await wipe(tasks)
        push.openssh.push(await floor(lab, tasks))
      }
      for (const side of round % 2 === 0 ? [own, peer] : [peer, own]) await side()
      await wipe(tasks)
      await record('up, overlay onto bare machines', lab.pulumi(...up))
      push.up.push(operations['up, overlay onto bare machines']!.at(-1)!.total)
      writeFileSync(mark, '')
      push.engine.push((await lab.engine(...up)).ms)
      rmSync(mark)
      console.error(
        `bench: ${hosts} hosts: push ${seconds(push.overlab.at(-1)!)} s, OpenSSH ${seconds(push.openssh.at(-1)!)} s, engine alone ${seconds(push.engine.at(-1)!)} s`,
      )
    }

    for (let round = 0; round < builds; round++) {
      lab.describe({ hosts: hosts + 1, backend })
      await record('one host added', lab.pulumi(...up))
      lab.describe({ hosts, backend })
      await record('one host removed', lab.pulumi(...up))
      lab.describe({ hosts, backend: 'host-gw' })
      await record(`change of backend: ${backend} to host-gw`, lab.pulumi(...up))
      lab.describe({ hosts, backend })
      await record(`change of backend: host-gw to ${backend}`, lab.pulumi(...up))
    }
    await record('destroy', lab.pulumi('destroy', '--yes', '--skip-preview'))
    return { hosts, load: loadavg()[1]!, operations, push }
  } finally {
    await lab.remove()
    current = undefined
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

function report(results: readonly Result[]): string {
  const names = [...new Set(results.flatMap(({ operations }) => Object.keys(operations)))]
  const of = (result: Result, name: string) => result.operations[name] && medianOf(result.operations[name])
  const heads = results.map(({ hosts }) => `${hosts} hosts`)
  const each = (name: string, show: (breakdown: Breakdown, hosts: number) => string) =>
    results.map((result) => {
      const found = of(result, name)
      return found ? show(found, result.hosts) : '-'
    })
  const sections = [
    [
      'Seconds',
      table(
        ['operation', ...heads],
        names.map((name) => [name, ...each(name, ({ total }) => seconds(total))]),
      ),
    ],
    [
      'CPU seconds of the engine, the program and the plugin (not of the machines)',
      table(
        ['operation', ...heads],
        names.map((name) => [name, ...each(name, ({ cpu }) => seconds(cpu))]),
      ),
    ],
    [
      'SSH connections and round trips a host',
      table(
        ['operation', ...heads],
        names.map((name) => [
          name,
          ...each(
            name,
            ({ connects, roundTrips }, hosts) =>
              `${rounded(connects / hosts)} / ${rounded(roundTrips / hosts)}`,
          ),
        ]),
      ),
    ],
    [
      'The push of the overlay to machines that hold nothing, seconds',
      table(
        ['', ...heads],
        (
          [
            ['one OpenSSH client a host, one script each (the floor)', (push) => median(push.openssh)],
            ["overlab's roll-out: connect, read, apply", (push) => median(push.overlab)],
            ['the engine alone: the same up, a plugin that does nothing', (push) => median(push.engine)],
            ['floor + engine', (push) => median(push.openssh) + median(push.engine)],
            ['pulumi up, refresh included', (push) => median(push.up)],
          ] satisfies [string, (push: Result['push']) => number][]
        ).map(([name, value]) => [name, ...results.map(({ push }) => seconds(value(push)))]),
      ),
    ],
    ...results.map(({ hosts, load, operations }) => [
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
  return sections.map(([title, text]) => `${title}:\n\n${text}`).join('\n\n')
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100)
}

function said(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
      .trim()
      .split('\n')[0]!
  } catch {
    return 'unknown'
  }
}

const machine = {
  date: new Date().toISOString(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  kernel: release(),
  node: process.version,
  pulumi: pulumiVersion,
  iproute2: said('ip', ['-V']).replace(/^ip utility, /, ''),
  commit: said('git', ['-C', import.meta.dirname, 'rev-parse', '--short', 'HEAD']),
}
console.log(
  `${machine.date.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}, Linux ${machine.kernel}, Node ${machine.node}, Pulumi ${machine.pulumi}, ${machine.iproute2}, ${backend}, medians of up to ${rounds} rounds`,
)
const results: Result[] = []
let dataPlane: DataPlane | undefined
try {
  for (const size of sizes) {
    if (performance.now() > deadline) {
      console.error(`bench: ${options.minutes} minutes are over; ${size} hosts and more are left out`)
      break
    }
    results.push(await measure(size))
  }
  if (withDataPlane) {
    const stop = new AbortController()
    const running = measureDataPlane(rounds, stop.signal, (text) => console.error(`bench: ${text}`))
    current = {
      remove: async () => {
        stop.abort()
        await running.catch(() => {})
      },
    }
    dataPlane = await running
  }
} catch (error) {
  if (!isInterrupted) console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
if (results.length > 0) console.log(`\n${report(results)}`)
if (dataPlane)
  console.log(
    `\nThe data plane, static against flanneld, medians of ${rounds} rounds (load of the machine: ${loadavg()[1]!.toFixed(1)}); the whole compare took ${dataPlane.seconds.toFixed(0)} s:\n\n${table(
      ['', 'static', 'flanneld', 'ratio, round by round', 'wanted', 'met'],
      ratioRows(dataPlane.compared),
    )}`,
  )
if (options.json)
  writeFileSync(
    options.json,
    JSON.stringify({ machine, rounds, backend, results, dataPlane }, null, 2) + '\n',
  )
