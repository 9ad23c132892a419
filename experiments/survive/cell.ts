/** One cell of the matrix: a fault, done to a lab under load, and what became of the packets. */
import { setTimeout as sleep } from 'node:timers/promises'
import { HostError } from '../../remote/errors.ts'
import { podStreams, startLoad, type StreamLoss } from '../load.ts'
import type { Cell, Heals } from '../results/survival.ts'
import { because } from './because.ts'
import type { Fault } from './fault.ts'
import { missing, readHeld, union, type HeldByHost } from './held.ts'
import { rolesOf, type LabUnderTest } from './lab.ts'
import { putBackAll, runStrike, type Kept } from './strike.ts'
import { measuredOf, stateOf, sumsOf } from './verdict.ts'
import { reachEachOther } from './whole.ts'

export interface CellOptions {
  readonly signal?: AbortSignal | undefined
  /** What goes on, in a word or two. */
  readonly onProgress?: (state: string) => void
}

/** How long is watched, in ms. */
const watched = {
  /** Before the strike, and where nothing is lost after it. */
  before: 300,
  calm: 3000,
  /** Where a pair is dead: with a flanneld that lives, a little longer than the 10 s after which it looks again at its routes. */
  withFlanneld: 12_000,
  alone: 5000,
  pause: 500,
}

export interface Struck {
  readonly cell: Cell
  /** Puts back what `pulumi up` would not. Works after an interrupt. */
  readonly putBack: () => Promise<void>
}

/**
 * Strikes and watches. What does not heal by itself is mended by `pulumi up`. The lab may be broken afterwards.
 * @throws HostError after an interrupt; any other failure of a host makes the cell one that was not measured
 */
export async function strikeCell(
  fault: Fault,
  lab: LabUnderTest,
  { signal, onProgress = () => {} }: CellOptions = {},
): Promise<Struck> {
  const place = { variant: lab.variant.name, fault: fault.id }
  const notApplicable = fault.notApplicable(lab)
  if (notApplicable) return { cell: { ...place, notApplicable }, putBack: nothing }
  const kept: Kept[] = []
  const putBack = () => putBackAll(lab, kept)
  try {
    return { cell: { ...place, ...(await measure(fault, lab, kept, signal, onProgress)) }, putBack }
  } catch (error) {
    if (!(error instanceof HostError) || signal?.aborted) {
      await putBack().catch(() => {})
      throw error
    }
    return { cell: { ...place, notMeasured: error.message.split('\n')[0]! }, putBack }
  }
}

type Outcome = Omit<Extract<Cell, { sent: number }>, 'variant' | 'fault'>

async function measure(
  { strike }: Fault,
  lab: LabUnderTest,
  kept: Kept[],
  signal: AbortSignal | undefined,
  onProgress: (state: string) => void,
): Promise<Outcome> {
  const roles = rolesOf(lab.plan)
  const hosts = ('act' in strike && strike.begins?.(roles)) || roles.hosts
  const names = hosts.map(({ name }) => name)
  const streams = podStreams(lab.plan).filter(
    ({ from, to }) => names.includes(from.host) && names.includes(to.host),
  )
  if (hosts.length < roles.hosts.length) await lab.resize!(names)
  const read = () => readHeld(lab.session, hosts, signal)
  const before = await read()
  const options = signal ? { signal } : {}
  const load = await startLoad(lab.session, streams, options)
  let gone: ReturnType<typeof missing> = []
  let last: HeldByHost = before
  const look = async () => {
    last = await read()
    gone = union(gone, missing(before, last))
  }
  let told: string | undefined
  let losses: StreamLoss[]
  try {
    await sleep(watched.before)
    onProgress('striking')
    told = 'act' in strike ? await strike.act(lab) : await runStrike(strike, lab, kept)
    await look()
    onProgress('watching')
    const flanneld = Object.values(last).some(({ units }) => units.includes('flanneld'))
    const patience = flanneld ? watched.withFlanneld : watched.alone
    const start = performance.now()
    for (let state = 'dead'; ;) {
      await sleep(watched.pause)
      signal?.throwIfAborted()
      state = stateOf(await load.look())
      await look()
      if (performance.now() - start > (state === 'dead' ? patience : watched.calm)) break
    }
  } finally {
    losses = await load.stop()
  }
  const sums = sumsOf(losses)
  if (sums.sent === 0) throw new HostError(notSent(losses))
  const still = missing(before, last)
  const heals = await healed(lab, losses, options, onProgress)
  const unknown = [...new Set(losses.filter((one) => 'notMeasured' in one).map(({ from }) => from))]
  return {
    ...sums,
    pairs: [...sums.pairs],
    heals,
    because: [
      because({ hosts: names, gone, still, last, heals, told }),
      ...(unknown.length > 0
        ? [`pings from ${unknown.join(' and ')} ended with it and are not counted`]
        : []),
    ].join('; '),
  }
}

/** @throws HostError after an interrupt, or where `pulumi up` fails */
async function healed(
  lab: LabUnderTest,
  losses: readonly StreamLoss[],
  options: { signal?: AbortSignal },
  onProgress: (state: string) => void,
): Promise<Heals> {
  const state = stateOf(losses)
  if (state === 'unharmed') return 'unharmed'
  if (state === 'healed') return 'by itself'
  if (state === 'open' && (await reachEachOther(lab, options)))
    return measuredOf(losses).every(({ lost }) => lost === 0) ? 'unharmed' : 'by itself'
  onProgress('pulumi up')
  await lab.up()
  return (await reachEachOther(lab, options)) ? 'by pulumi up' : 'never'
}

function notSent(losses: readonly StreamLoss[]): ConstructorParameters<typeof HostError>[0] {
  const [first] = losses
  const why = first && 'notMeasured' in first ? first.notMeasured : 'no two hosts have pods'
  return { host: first?.from ?? 'lab', step: 'load', why }
}

const nothing = (): Promise<void> => Promise.resolve()
