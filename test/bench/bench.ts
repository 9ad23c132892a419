#!/usr/bin/env node
/**
 * `npm run bench [-- PART...]`: what each operation takes on labs of several sizes, where the time goes, and the floor to
 * compare with, all in one run; an apply to hosts that exist; labs of VMs; the data plane, static against flanneld. It
 * makes labs of its own and takes them away, also on Ctrl-C. Nothing is asserted: `met` says what was found.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { pulumiVersion } from '../../tools/versions.ts'
import { partNames, readWords, usage, type Bench, type PartName, type Wish } from './bench-options.ts'
import { dataPlaneSections, measureDataPlane } from './data-plane.ts'
import { imageSections, measureImage } from './image.ts'
import { sweep } from './leftovers.ts'
import { measureOperations, operationSections, type Operations } from './operations.ts'
import { measureSsh, sshSections } from './ssh.ts'
import { sections, type Section } from './table.ts'
import { vmSections } from './vm-report.ts'
import { measureVms } from './vms.ts'

/** What was found, and how it is told. */
interface Found {
  readonly result: unknown
  readonly sections: readonly Section[]
}

const parts: Readonly<Record<PartName, (bench: Bench) => Promise<Found>>> = {
  ssh: (bench) => measureSsh(bench).then((result) => ({ result, sections: sshSections(result) })),
  vms: (bench) => measureVms(bench).then((result) => ({ result, sections: vmSections(result) })),
  'data-plane': (bench) =>
    measureDataPlane(bench).then((result) => ({ result, sections: dataPlaneSections(result) })),
  image: (bench) => measureImage(bench).then((result) => ({ result, sections: imageSections(result) })),
}

function wishOrExit(): Wish {
  try {
    const wish = readWords(process.argv.slice(2))
    if (wish) return wish
    console.log(usage)
    process.exit()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    console.error(`bench: ${error.message}\n${usage}`)
    process.exit(2)
  }
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

const { sizes, parts: wanted, rounds, minutes, backend, json } = wishOrExit()
const say = (text: string) => console.error(`bench: ${text}`)
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    say(`${signal}: taking the labs away`)
    stop.abort()
  })
const bench: Bench = { rounds, say, signal: stop.signal }
const deadline = performance.now() + minutes * 60_000

const load = () => loadavg()[0]!.toFixed(1)
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
  command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
  load: [load()],
}

/** By part: why there is nothing of it. */
const notMeasured: Record<string, string> = {}

/** One that fails keeps none of the others. */
async function attempt<T>(part: string, measure: () => Promise<T>): Promise<T | undefined> {
  if (stop.signal.aborted) return
  try {
    if (performance.now() > deadline) throw new Error(`${minutes} minutes were over`)
    return await measure()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    notMeasured[part] = stop.signal.aborted ? 'was interrupted' : why
    say(`${part}: not measured: ${notMeasured[part]}`)
    process.exitCode = 1
    return undefined
  }
}

await sweep(say)
const operations: Operations[] = []
for (const size of sizes) {
  const found = await attempt(`${size} hosts`, () => measureOperations(size, backend, bench))
  if (found) operations.push(found)
}
const found: Partial<Record<PartName, Found>> = {}
for (const part of partNames.filter((name) => wanted.includes(name))) {
  const one = await attempt(part, () => parts[part](bench))
  if (one) found[part] = one
}
machine.load.push(load())
if (stop.signal.aborted) process.exitCode = 130

console.log(
  `${machine.date.slice(0, 10)}: \`${machine.command}\`; ${machine.cpu}, ${machine.cores} cores, ${machine.memory}, Linux ${machine.kernel}, Node ${machine.node}, Pulumi ${machine.pulumi}, ${machine.iproute2}, ${backend}, medians of up to ${rounds} rounds; load average ${machine.load.join(' at the start, ')} at the end`,
)
const told = [
  ...(operations.length > 0 ? operationSections(operations) : []),
  ...Object.values(found).flatMap((one) => one.sections),
]
if (told.length > 0) console.log(`\n${sections(told)}`)
for (const [part, why] of Object.entries(notMeasured)) console.log(`\n${part}: not measured: ${why}`)
if (json !== undefined) {
  const results = Object.fromEntries(Object.entries(found).map(([part, { result }]) => [part, result]))
  writeFileSync(
    json,
    JSON.stringify({ machine, rounds, backend, operations, ...results, notMeasured }, null, 2) + '\n',
  )
}
