/**
 * Labs of VMs: from a built image to pods that answer, what memory a VM takes, how long its pods are gone when its power
 * is cut, and what its network moves.
 */
import { readFileSync, rmSync } from 'node:fs'
import { compare, type Compared } from '../../experiments/compare/compare.ts'
import { podEnds } from '../../experiments/compare/end.ts'
import { firstAnswerScript, parseFirstAnswer } from '../../experiments/compare/first-answer.ts'
import { runOn } from '../../experiments/compare/measure.ts'
import { forms, type MetricId } from '../../experiments/compare/metrics.ts'
import { scratchLab, type ScratchLab } from '../../experiments/variants/scratch.ts'
import { backends, variantOf } from '../../experiments/variants/variant.ts'
import { parseInventory } from '../../inventory/load.ts'
import { readMachines } from '../../machines/lab/records.ts'
import { chooseAccelerator, type Accelerator } from '../../machines/qemu/accelerator.ts'
import { findImage } from '../../machines/qemu/image.ts'
import type { TraceLine } from '../../plugins/overlab/trace.ts'
import type { Bench } from './bench-options.ts'
import { breakdown } from './breakdown.ts'
import { progressText } from './compared.ts'
import { ownFolder } from './leftovers.ts'
import { cutPower, type PowerCut } from './power-cut.ts'
import { megabytes, seconds } from './table.ts'
import { usageOf, type Usage } from './usage.ts'

/** A lab that was built; milliseconds. */
export interface Build {
  /** `pulumi up`, from its start to its end. */
  readonly up: number
  /** Of it, from the first VM's start until SSH answers on the last. */
  readonly boot: number
  /** Of it: connections, the look at the hosts, the overlay. */
  readonly overlay: number
  /** After it, until the first pod of every VM has answered that of every other one. */
  readonly answers: number
  /** Each VM's, when the pods answer. */
  readonly vms: readonly Usage[]
}

export interface Vms {
  readonly accelerator: Accelerator
  readonly builds: readonly Build[]
  readonly cuts: readonly PowerCut[]
  readonly network: Pick<Compared, 'metrics' | 'samples'>
}

const inventoryOf = (hosts: number) =>
  parseInventory(
    `lab: { name: bench${process.pid}, machine: qemu, underlay: 192.168.77.0/24, overlay: { Network: 10.244.0.0/16, Backend: { Type: vxlan } } }
all: { hosts: { 'node[1:${hosts}]': }, vars: { pods: 2 } }
`,
    'lab.yaml',
  )

/** Of the network between VMs. */
export const metrics: readonly MetricId[] = ['rtt-p50', 'tcp-1', 'tcp-4']

/** Labs of its own; all taken away at the end, also after an interrupt. The image is not built for it. */
export async function measureVms(bench: Bench): Promise<Vms> {
  const { rounds, signal, say } = bench
  if (!findImage())
    throw new Error(
      'the image of VMs is not built yet, and its build is no part of this; npm run setup -- --qemu',
    )
  const accelerator = await chooseAccelerator()
  const builds: Build[] = []
  const cuts: PowerCut[] = []
  for (let round = 1; round <= rounds; round++) {
    const { lab, build } = await buildLab(bench, round)
    builds.push(build)
    try {
      cuts.push(await cutPower(lab, bench))
    } finally {
      await lab.destroy()
    }
  }
  const network = await compare(
    // Two that talk are enough.
    { inventory: inventoryOf(2) },
    backends.map((backend) => variantOf(backend, 'static')),
    {
      rounds,
      metrics,
      form: forms.whole,
      signal,
      onProgress: (progress) => say(`VMs: ${progressText(progress)}`),
    },
  )
  return { accelerator, builds, cuts, network }
}

async function buildLab(
  { rounds, signal, say }: Bench,
  round: number,
): Promise<{ lab: ScratchLab; build: Build }> {
  const file = ownFolder('trace')
  say(`VMs: round ${round} of ${rounds}: three VMs from the image`)
  process.env['OVERLAB_TRACE'] = file
  let lab: ScratchLab | undefined
  try {
    lab = await scratchLab({ inventory: inventoryOf(3) }, variantOf('vxlan', 'static'), { signal })
    const answers = await untilAllAnswer(lab, signal)
    const trace = readFileSync(file, 'utf8').trim().split('\n')
    const { machines, connect, probe, apply } = breakdown({
      ms: lab.buildMs,
      at: 0,
      cpu: 0,
      trace: trace.map((line) => JSON.parse(line) as TraceLine),
    })
    const build = {
      up: lab.buildMs,
      boot: machines,
      overlay: connect + probe + apply,
      answers,
      vms: await usages(lab),
    }
    const most = Math.max(...build.vms.map(({ memory }) => memory))
    say(
      `VMs: pulumi up ${seconds(build.up)} s, answers ${seconds(answers)} s later, ${megabytes(most)} MB at most`,
    )
    return { lab, build }
  } catch (error) {
    await lab?.destroy()
    throw error
  } finally {
    delete process.env['OVERLAB_TRACE']
    rmSync(file, { force: true })
  }
}

/** Seconds; a lab that is up answers at once. */
const answerPatience = 60

/** Every VM's first pod to every other one's; ms. @throws where one does not answer */
async function untilAllAnswer(lab: ScratchLab, signal: AbortSignal): Promise<number> {
  const start = performance.now()
  const ends = podEnds(lab.plan)
  const pairs = ends.flatMap((from) => ends.filter((to) => to !== from).map((to) => ({ from, to })))
  await Promise.all(
    pairs.map(async ({ from, to }) => {
      const script = firstAnswerScript(from, to, answerPatience)
      const said = await runOn({ lab }, from.host, 'ask a pod', script, answerPatience, signal)
      if (parseFirstAnswer(said) === undefined)
        throw new Error(
          `${from.pod} got no answer of ${to.pod} within ${answerPatience} s of pulumi up's end`,
        )
    }),
  )
  return performance.now() - start
}

async function usages(lab: ScratchLab): Promise<Usage[]> {
  return (await readMachines(lab.name)).map(({ name, pid }) => {
    if (pid === undefined) throw new Error(`${name}: its VM has ended`)
    return usageOf(readFileSync(`/proc/${pid}/status`, 'utf8'), readFileSync(`/proc/${pid}/stat`, 'utf8'))
  })
}
