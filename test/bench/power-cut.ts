/**
 * The power of a VM is cut and comes back, and nobody runs overlab: how long until its pod answers a pod of another VM,
 * how much of that is the VM's own boot, and whether its kernel holds all of the plan then.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { podEnds } from '../../experiments/compare/end.ts'
import { firstAnswerScript, parseFirstAnswer } from '../../experiments/compare/first-answer.ts'
import { runOn } from '../../experiments/compare/measure.ts'
import { powerOf } from '../../experiments/power.ts'
import { labSessions } from '../../experiments/sessions.ts'
import { missing, readHeld, wantedOf } from '../../experiments/survive/held.ts'
import type { ScratchLab } from '../../experiments/variants/scratch.ts'
import { HostError } from '../../remote/errors.ts'
import type { Bench } from './bench-options.ts'
import { seconds } from './table.ts'

/** Milliseconds since the power was cut. */
export interface PowerCut {
  /** SSH answers: the VM has booted. Missing where it does not. */
  readonly ssh?: number
  /** The pod has answered for the first time; or why not. */
  readonly answer: number | { readonly notMeasured: string }
  /** What the VM lacks of the plan, some seconds later: `routes["10.244.1.0/24"]`. */
  readonly lacks: readonly string[]
}

/** Seconds from SSH's answer to the pod's: then it does not come by itself. */
const patience = 30
/** Seconds for what comes after the pods. */
const settling = 10

/** Of the last VM; it is up again afterwards, and holds what it restored. */
export async function cutPower(lab: ScratchLab, { signal, say }: Bench): Promise<PowerCut> {
  const ends = podEnds(lab.plan)
  const [from, to] = [ends[0]!, ends.at(-1)!]
  const power = powerOf(lab, to.host)
  // Packets on their way would be answers of the old life: none is on its way when the first ping is sent.
  const start = performance.now()
  say(`VMs: cutting the power of ${to.host}`)
  await power.cut()
  const enough = new AbortController()
  const most = 600
  const asked = runOn(
    { lab },
    from.host,
    'ask a pod',
    firstAnswerScript(from, to, most),
    most,
    AbortSignal.any([signal, enough.signal]),
  ).then(
    (said) => (parseFirstAnswer(said) === undefined ? undefined : performance.now() - start),
    (error: unknown) => {
      if (enough.signal.aborted && !signal.aborted) return undefined
      throw error
    },
  )
  // It is awaited below; until then nobody hears of its failure.
  asked.catch(() => {})
  try {
    await power.on()
  } catch (error) {
    enough.abort()
    if (!(error instanceof HostError) || signal.aborted) throw error
    return { answer: { notMeasured: error.brief }, lacks: [] }
  }
  const ssh = performance.now() - start
  const timer = setTimeout(() => enough.abort(), patience * 1000)
  const answer = await asked.finally(() => clearTimeout(timer))
  const lacks = await lacksOf(lab, to.host, answer === undefined ? 0 : settling, signal)
  const why = `${to.pod} did not answer within ${patience} s after SSH: the data plane did not come back by itself`
  say(
    `VMs: power cut: SSH after ${seconds(ssh)} s, ${answer === undefined ? why : `${to.pod} after ${seconds(answer)} s`}`,
  )
  return { ssh, answer: answer ?? { notMeasured: why }, lacks }
}

async function lacksOf(
  lab: ScratchLab,
  host: string,
  patience: number,
  signal: AbortSignal,
): Promise<string[]> {
  const hosts = [lab.plan.hosts[host]!]
  // The lab's own connection to the VM may not know yet that its other end is gone.
  const { session, close } = labSessions(lab.name, signal)
  try {
    for (const until = performance.now() + patience * 1000; ; await sleep(1000, undefined, { signal })) {
      const held = await readHeld(session, hosts, signal)
      const lacks = missing(wantedOf(hosts), held).flatMap(({ table, keys }) =>
        keys.map((key) => `${table}[${JSON.stringify(key)}]`),
      )
      if (!(host in held)) lacks.push('an answer: its kernel could not be read')
      if (lacks.length === 0 || performance.now() > until) return lacks
    }
  } finally {
    await close()
  }
}
