/** The resource overlab:index:DataPlane: the kernels' state of all hosts of a lab. */
import { z } from 'zod'
import { hostName, ifName } from '../../inventory/values.ts'
import { modules } from '../../modules/all.ts'
import { knownPart, ownPart } from '../../modules/lent.ts'
import { readHosts, rollOut, type HostTask, type Rollout } from '../../modules/rollout.ts'
import type { HostState } from '../../modules/state.ts'
import { cutOff, type Cut, type Way } from '../../overlay/cut-off.ts'
import type { Pool } from '../../remote/pool.ts'
import { diffValues } from '../server/diff.ts'
import { PartialFailure } from '../server/failure.ts'
import type { Context, ResourceHandlers } from '../server/handlers.ts'
import { containsUnknown, type Values } from '../server/values.ts'
import { checkBy } from './check.ts'
import type { Form } from './resource.ts'
import { targetOfMany, way } from './target.ts'
import { driftLines } from './drift.ts'

const facts = z
  .strictObject({
    nic: ifName.describe('The NIC that carries the underlay.'),
    iptables: z
      .enum(['auto', 'nft', 'legacy'])
      .meta({ id: 'IptablesVariant' })
      .describe("Which iptables writes its rules; auto: the host's default."),
    lent: z.array(ifName).exactOptional().describe('Links shared with flanneld, which fills them.'),
  })
  .meta({ id: 'HostFacts' })

/** Of a host that overlab did not make: whose it is, how long a change may wait, the way by which it is reached. */
const care = z
  .strictObject({
    owner: z.string().min(1).describe('Owner of the overlay on it.'),
    confirm: z
      .int()
      .min(0)
      .describe('Seconds after which it undoes a change that was not confirmed; 0 = never.'),
    way: way.describe('How it answers overlab; a state that would cut this is refused.'),
  })
  .meta({ id: 'Care' })

const inputs = z
  .strictObject({
    identityFile: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Path of the SSH client key for all hosts that name none.'),
    targets: z.record(hostName, targetOfMany).describe("How each host is reached, by the host's name."),
    facts: z.record(hostName, facts).describe('What is known of each host.'),
    boots: z
      .record(hostName, z.string())
      .exactOptional()
      .describe('When each machine that overlab makes was started: another start has an empty kernel.'),
    datapaths: z
      .record(hostName, z.string())
      .exactOptional()
      .describe('With udp: which datapath each host has, and why; only shown.'),
    hosts: z
      .record(
        hostName,
        z.partialRecord(z.enum(modules.map((module) => module.table)), z.record(z.string(), z.string())),
      )
      .describe(
        "What each host's kernel is to hold, whoever puts it there: tables from a key to one canonical line.",
      ),
    care: z
      .record(hostName, care)
      .exactOptional()
      .describe('Existing hosts: they are cleaned when the data plane goes, and a change must be confirmed.'),
    unfit: z
      .record(hostName, z.string())
      .exactOptional()
      .describe('Hosts that nothing can be done on now, and why; the others are finished without them.'),
  })
  .transform((args, context) => {
    const unfit: object = args.unfit ?? {}
    for (const host of Object.keys(args.hosts).filter((host) => !(host in unfit)))
      for (const table of ['targets', 'facts'] as const)
        if (!(host in args[table]))
          context.addIssue({
            code: 'custom',
            path: [table, host],
            message: `is missing, and hosts has ${host}`,
          })
    return withoutCutOff({ ...args, hosts: canonical(args.hosts, context) })
  })

type Inputs = z.output<typeof inputs>

export const dataPlaneForm: Form<Inputs, object> = {
  description:
    'What the kernels of all hosts of a lab hold: links, addresses, routes, neighbours, FDB entries, iptables rules, sysctls and pods. One resource for the whole lab, since a change that loses no packet must be finished on every host before the next step begins on any.',
  inputs,
  outputs: z.object({}),
  replaceOn: [],
}

type Hosts = Readonly<Record<string, HostState>>

/** A host whose way a row would cut is unfit, and that host alone: nothing of the plan is done on it. */
function withoutCutOff<Args extends Parsed>(args: Args): Args {
  const cut = Object.entries(args.care ?? {}).flatMap(([host, { way }]) => {
    const cuts = cutOff(args.hosts[host] ?? {}, way)
    return cuts.length > 0 ? [[host, cutText(host, cuts)] as const] : []
  })
  if (cut.length === 0) return args
  const names = new Set(cut.map(([host]) => host))
  const without = <T>(table: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(table).filter(([host]) => !names.has(host)))
  return {
    ...args,
    targets: without(args.targets),
    facts: without(args.facts),
    hosts: without(args.hosts),
    care: without(args.care ?? {}),
    ...(args.datapaths && { datapaths: without(args.datapaths) }),
    unfit: { ...args.unfit, ...Object.fromEntries(cut) },
  }
}

interface Parsed {
  readonly targets: Readonly<Record<string, unknown>>
  readonly facts: Readonly<Record<string, unknown>>
  readonly hosts: Hosts
  readonly care?: Readonly<Record<string, { readonly way: Way }>>
  readonly datapaths?: Readonly<Record<string, string>>
  readonly unfit?: Readonly<Record<string, string>>
}

function cutText(host: string, cuts: readonly Cut[]): string {
  const rows = cuts.slice(0, mostCuts).map(({ table, key, why }) => `${table}[${JSON.stringify(key)}] ${why}`)
  const more = cuts.length > mostCuts ? `, and ${cuts.length - mostCuts} more rows do so` : ''
  return `${host}: check: ${rows.join('; ')}${more}: it would cut the way to ${host}, so nothing was changed there; choose another Network or subnet, or reach the host from another address`
}

/** Rows that a message names. */
const mostCuts = 3

/** Every row through its module's schema: the line as the kernel's tools print it. */
function canonical(hosts: Hosts, context: z.RefinementCtx): Hosts {
  return mapValues(hosts, (state, host) =>
    Object.fromEntries(
      modules.flatMap((module) => {
        const table = state[module.table]
        if (!table || Object.keys(table).length === 0) return []
        const rows = Object.entries(table).map(([key, line]) => {
          const row = module.row.safeParse({ key, line })
          if (row.success) return [key, row.data]
          for (const { message } of row.error.issues)
            context.addIssue({ code: 'custom', path: ['hosts', host, module.table, key], message })
          return [key, line]
        })
        return [[module.table, Object.fromEntries(rows)]]
      }),
    ),
  )
}

/** The handlers of the data plane; all operations of a process share the pool's one connection a host. */
export function dataPlane(pool: Pool): Required<ResourceHandlers> {
  return {
    check: (_olds, news) => checkBy(dataPlaneForm.inputs, news),
    diff: (_id, olds, news) => ({ changes: diffValues(...withSameTables(olds, news)) }),
    async create(news, context) {
      if (context.preview) {
        warn(news, context)
        return { id: '', outputs: news }
      }
      return { id: context.name, outputs: await bringTo(context.name, {}, news, context) }
    },
    async read(id, state, inputs, { log, signal }) {
      const known = knownOf(state)
      const { held: found, failures } = await readHosts(pool, readTasks(known), { signal })
      const held = mapValues(found, (state, host) => ofInterest(known, host, state))
      for (const failure of failures) log.warning(failure.message)
      for (const line of driftLines(known.hosts, held)) log.info(line)
      log.debug(cost())
      // A host that cannot be read holds nothing that can be relied on: the next update gives it everything again.
      // And one that was unfit is told anew if it still is.
      const { unfit: _, ...rest } = state
      const { unfit: __, ...asked } = inputs
      return { id, outputs: { ...rest, hosts: held }, inputs: { ...asked, hosts: held } }
    },
    async update(id, olds, news, context) {
      if (!context.preview) return bringTo(id, olds, news, context)
      warn(news, context)
      return news
    },
    async delete(id, olds, context) {
      // Machines that overlab made take what their kernels hold with them.
      const known = onlyStaying(knownOf(olds))
      if (Object.keys(known.hosts).length === 0) return
      const empty = { ...known, hosts: mapValues(known.hosts, () => ({})), unfit: {} }
      await bringTo(id, known, empty, context)
    },
  }

  function cost(): string {
    return `data plane: ${pool.connects} connections, ${pool.roundTrips} round trips so far`
  }

  async function bringTo(id: string, olds: Values, news: Values, { log, signal }: Context): Promise<Values> {
    const wanted = knownOf(news)
    const outcome = await rollOut(pool, tasks(olds, wanted), {
      signal,
      onProgress: sparing((step, done, of) => log.status(`${step}: ${done} of ${of} hosts`)),
    })
    log.debug(cost())
    const unfit = Object.entries(wanted.unfit ?? {})
    if (outcome.failures.length === 0 && unfit.length === 0) return news
    const left = [...outcome.failures.map(({ host }) => host), ...unfit.map(([host]) => host)]
    const failed = new Set(left)
    const held = mapValues(pick(outcome.held, Object.keys(wanted.hosts)), (state, host) =>
      failed.has(host) ? state : wanted.hosts[host]!,
    )
    const outputs = { ...withLeft(olds, { ...wanted, hosts: held }, left) }
    throw new PartialFailure({ id, outputs, inputs: outputs, reasons: reasons(outcome, wanted) })
  }
}

/**
 * A host that leaves and could not be cleaned stays in the state, so that the next update tries again; and whose the
 * rows of a host were stays known until the change of hands is finished there.
 */
function withLeft(olds: Partial<Inputs>, reached: Inputs, failed: readonly string[]): Inputs {
  const left = failed.filter((host) => olds.hosts?.[host] && !(host in reached.targets))
  const also = <T>(table: Readonly<Record<string, T>>, old: Readonly<Record<string, T>> | undefined) => ({
    ...table,
    ...pick(old ?? {}, left),
  })
  return {
    ...reached,
    targets: also(reached.targets, olds.targets),
    facts: {
      ...reached.facts,
      ...pick(olds.facts ?? {}, failed),
    },
    hosts: also(reached.hosts, olds.hosts),
    ...(reached.care && { care: also(reached.care, olds.care) }),
  }
}

/** Inputs and state are what Check made of them, or what this resource put there. */
function knownOf(values: Values): Inputs {
  // eslint-disable-next-line overlab/no-cast-of-unknown -- checked when it was made; parsing 100 hosts' rows again costs a second
  return values as unknown as Inputs
}

/** A preview says already what will be left out. */
function warn(news: Values, { log }: Context): void {
  const { unfit } = news
  if (unfit === null || typeof unfit !== 'object' || containsUnknown(unfit)) return
  for (const why of Object.values(unfit)) if (typeof why === 'string') log.warning(why)
}

/** The hosts that outlive the lab. */
function onlyStaying(known: Inputs): Inputs {
  const names = Object.keys(known.care ?? {})
  return {
    ...known,
    targets: pick(known.targets, names),
    facts: pick(known.facts, names),
    hosts: pick(known.hosts, names),
  }
}

/** Progress once a second, and at the end of a step: in a log that is no terminal every line stays. */
function sparing(tell: (step: string, done: number, of: number) => void): typeof tell {
  let last = Date.now()
  return (step, done, of) => {
    if (done < of && Date.now() - last < 1000) return
    last = Date.now()
    tell(step, done, of)
  }
}

function reasons({ failures }: Rollout, wanted: Inputs): string[] {
  const { unfit = {} } = wanted
  const all = new Set([...Object.keys(wanted.hosts), ...Object.keys(unfit)]).size
  const failed = new Set([...failures.map((failure) => failure.host), ...Object.keys(unfit)]).size
  return [
    ...Object.values(unfit),
    ...failures.map((failure) => failure.message),
    `${all - failed} of ${all} hosts are finished; the next \`pulumi up\` completes the rest`,
  ]
}

/** A table that only one side has is an empty one on the other, so that a diff names its rows and not the table. */
function withSameTables(olds: Values, news: Values): [Values, Values] {
  const [old, now] = [olds, news].map((side) => side['hosts'] as Hosts) as [Hosts, Hosts]
  const filled = (side: Hosts, other: Hosts) =>
    mapValues(side, (state, host) =>
      // Of a host whose kernel is yet to be asked (kernels.ts) nothing is known.
      [state, other[host]].some((one) => one !== undefined && containsUnknown(one))
        ? state
        : { ...mapValues(other[host] ?? {}, () => ({})), ...state },
    )
  return [
    { ...olds, hosts: filled(old, now) },
    { ...news, hosts: filled(now, old) },
  ]
}

/** What to read of every host: all that is known of it, the rows of another program too. */
function readTasks(known: Inputs): Record<string, HostTask> {
  return mapValues(known.hosts, (state, host) => ({
    target: targetOf(known, host),
    plan: { desired: state, prior: state, facts: factsOf(known, host)! },
    ...careOf(known, host),
  }))
}

/** Of what another program has, only what is planned is told: the rest comes and goes with it. */
function ofInterest(known: Inputs, host: string, state: HostState): HostState {
  const { lent } = factsOf(known, host)!
  return lent ? knownPart(state, known.hosts[host]!, lent) : state
}

/** One task a host. A host that leaves the lab is to hold nothing. */
function tasks(olds: Partial<Inputs>, news: Inputs): Record<string, HostTask> {
  const unfit: object = news.unfit ?? {}
  const leaving = Object.keys(olds.hosts ?? {}).filter((host) => !(host in news.hosts) && !(host in unfit))
  const able = Object.keys(news.hosts).filter((host) => host in news.targets && !(host in unfit))
  return Object.fromEntries<HostTask>([
    ...able.map((host) => [host, task(host, olds, news)] as const),
    ...leaving.map(
      (host) => [host, task(host, olds, { ...(olds as Inputs), hosts: { [host]: {} } })] as const,
    ),
  ])
}

/**
 * Who fills a host may change: where flanneld did, what is there is given overlab's mark; where flanneld is to do it
 * from now on, what is there is left for it, without the mark.
 */
function task(host: string, olds: Partial<Inputs>, news: Inputs): HostTask {
  const facts = factsOf(news, host)!
  const before = factsOf(olds, host)
  const state = news.hosts[host]!
  const known = olds.hosts?.[host] ?? {}
  return {
    target: targetOf(news, host),
    plan: {
      desired: facts.lent ? ownPart(state, facts.lent) : state,
      prior: before?.lent ? ownPart(known, before.lent) : known,
      facts: before?.lent && !facts.lent ? { ...facts, claim: true } : facts,
      ...(before && !before.lent && facts.lent && { left: state }),
    },
    ...careOf(news, host),
  }
}

function targetOf(of: Inputs, host: string): HostTask['target'] {
  return {
    name: host,
    identityFile: of.identityFile ?? '',
    ...of.targets[host as keyof Inputs['targets']]!,
  }
}

function careOf(of: Inputs, host: string): Pick<HostTask, 'care'> {
  const { owner, confirm } = of.care?.[host as keyof NonNullable<Inputs['care']>] ?? {}
  return owner !== undefined && confirm !== undefined ? { care: { owner, confirm } } : {}
}

function factsOf(of: Partial<Inputs>, host: string): HostTask['plan']['facts'] | undefined {
  return of.facts?.[host as keyof Inputs['facts']]
}

function mapValues<T, R>(
  of: Readonly<Record<string, T>>,
  map: (value: T, key: string) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, map(value, key)]))
}

function pick<T>(of: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(keys.flatMap((key) => (key in of ? [[key, of[key]!]] : [])))
}
